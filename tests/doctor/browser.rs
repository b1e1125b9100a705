//! A real browser: how a picture or a page looks in it, measured by a script inside.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own and start a browser")]

use std::fs;
use std::process::Command as Program;

use serde_json::Value;

use super::support::{Folder, Ran, is_installed, run};

/// Measures what is shown, and leaves what it found as the page's only text.
const MEASURE: &str = r#"
const rgb = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);
const light = text => { const [r, g, b] = rgb(text).map(c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
const box = node => { const { left, top, right, bottom } = node.getBoundingClientRect(); return { left, top, right, bottom } };
const meet = (a, b, by) => a.left < b.right - by && b.left < a.right - by && a.top < b.bottom - by && b.top < a.bottom - by;
const texts = [...document.querySelectorAll('svg text')], faults = [];
const paper = getComputedStyle(document.querySelector('.paper')).fill, page = box(document.querySelector('svg'));
const boxes = [...document.querySelectorAll('rect.box')];
texts.forEach((one, at) => {
  const own = box(one), style = getComputedStyle(one);
  texts.slice(at + 1).forEach(two => { if (meet(own, box(two), .5)) faults.push(`"${one.textContent}" overlaps "${two.textContent}"`) });
  document.querySelectorAll('path.arrow').forEach(arrow => { const line = box(arrow); line.left -= 1; line.right += 1; if (meet(own, line, .2)) faults.push(`an arrow crosses "${one.textContent}"`) });
  boxes.forEach(frame => { const edge = box(frame); if (meet(own, edge, .5) && (own.left < edge.left || own.right > edge.right || own.top < edge.top || own.bottom > edge.bottom)) faults.push(`"${one.textContent}" leaves its box`) });
  if (own.left < page.left || own.right > page.right || own.bottom > page.bottom) faults.push(`"${one.textContent}" leaves the page`);
  if (parseFloat(style.fontSize) * (page.right - page.left) / 1000 < 12) faults.push(`"${one.textContent}" is small`);
  const ground = boxes.find(frame => meet(own, box(frame), .5));
  const ratio = contrast(style.fill, ground ? getComputedStyle(ground).fill : paper);
  if (ratio < 4.5) faults.push(`"${one.textContent}" has a contrast of ${ratio.toFixed(1)}`);
});
boxes.forEach((one, at) => boxes.slice(at + 1).forEach(two => { if (meet(box(one), box(two), 0)) faults.push(`${one.dataset.part} overlaps ${two.dataset.part}`) }));
document.querySelectorAll('path.arrow').forEach(arrow => boxes.forEach(one => { const line = box(arrow); line.left -= 1; line.right += 1; if (meet(line, box(one), .9)) faults.push(`an arrow crosses ${one.dataset.part}`) }));
const wide = document.documentElement.scrollWidth - innerWidth;
if (wide > 0) faults.push(`the page is ${wide} px too wide`);
const lines = [];
for (const node of document.querySelectorAll('h1,h2,p,th,td,li,summary')) {
  const style = getComputedStyle(node), range = document.createRange();
  const own = [...node.childNodes].filter(child => child.nodeType === 3 && child.textContent.trim());
  own.forEach(child => { range.selectNodeContents(child); [...range.getClientRects()].forEach(rect => lines.push({ node, text: child.textContent, left: rect.left, right: rect.right, top: rect.top, bottom: rect.bottom })) });
  for (const inner of [node, ...node.querySelectorAll('code,span,strong')]) {
    if (!inner.textContent.trim()) continue;
    const looks = getComputedStyle(inner);
    if (parseFloat(looks.fontSize) < 12) faults.push(`"${inner.textContent}" is small`);
    let ground = inner; while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
    const ratio = contrast(looks.color, ground ? getComputedStyle(ground).backgroundColor : 'rgb(255,255,255)');
    if (ratio < 4.5) faults.push(`"${inner.textContent}" has a contrast of ${ratio.toFixed(1)}`);
  }
}
lines.forEach((one, at) => lines.slice(at + 1).forEach(two => { if (one.node !== two.node && meet(one, two, 2)) faults.push(`"${one.text}" overlaps "${two.text}"`) }));
const loaded = performance.getEntriesByType('resource').length;
const body = getComputedStyle(document.body).backgroundColor;
const dark = matchMedia('(prefers-color-scheme: dark)').matches, ground = light(paper) < .2;
document.documentElement.replaceChildren(document.createElement('body'));
document.body.textContent = JSON.stringify({ texts: texts.length, lines: lines.length, loaded, width: page.right - page.left, dark, ground, body, faults });
"#;

/// Chromium, where it is installed.
pub(crate) fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| is_installed(name));
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI needs Chromium");
    found
}

/// Measures a picture, 1,000 pixels wide.
pub(crate) fn measured(browser: &str, picture: &str, dark: bool) -> Value {
    let style = "<style>body{margin:0}svg{display:block}</style>";
    measured_page(browser, &format!("<!doctype html><meta charset=utf-8>{style}{picture}"), 1000, dark)
}

/// Measures a page in a window of that width.
pub(crate) fn measured_page(browser: &str, page: &str, width: u32, dark: bool) -> Value {
    let folder = Folder::empty();
    let file = folder.path().join("page.html");
    fs::write(&file, format!("{page}<script>{MEASURE}</script>")).unwrap();
    let mut command = Program::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]);
    command.arg(format!("--window-size={width},1600"));
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    command.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)));
    body(&run(command.arg(format!("file://{}", file.display()))))
}

/// The JSON that a script left as the body of a page.
pub(crate) fn body(shown: &Ran) -> Value {
    let json = shown.stdout.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>"));
    let (json, _) = json.unwrap_or_else(|| panic!("{shown:#?}"));
    let json = json.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"))
}
