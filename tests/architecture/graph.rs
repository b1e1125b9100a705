//! Which file imports which, read from the text: `use` and the paths that are written in the code.
//!
//! A re-export (`pub use` in a `mod.rs`) is followed to the file that defines the name, so a folder may show what is in it
//! without depending on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::{code, files, read};

/// A module's path from the crate's root: `["bootstrap", "destroy", "plan"]`.
pub(super) type Module = Vec<String>;

/// Which modules a module imports.
pub(super) type Edges = BTreeMap<Module, BTreeSet<Module>>;

/// A path that is written in a file, and whether it is a re-export.
type Written = (Module, bool);

/// The imports of all files of the library.
pub(super) fn imports() -> Edges {
    let files = files("src").into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let texts = files.map(|path| (path.clone(), read(&path)));
    edges(&texts.collect())
}

/// The imports among files with these texts.
pub(super) fn edges(texts: &BTreeMap<PathBuf, String>) -> Edges {
    let modules: BTreeMap<Module, &Path> =
        texts.keys().filter_map(|path| Some((module(path)?, path.as_path()))).collect();
    let mut shown: BTreeMap<Module, BTreeMap<String, Module>> = BTreeMap::new();
    let mut named: BTreeMap<Module, Vec<Module>> = BTreeMap::new();
    for (module, path) in &modules {
        let is_folder = path.ends_with("mod.rs");
        for (written, public) in written(&texts[*path]) {
            let Some(whole) = whole(module, &written, &modules) else { continue };
            if public && is_folder {
                shown
                    .entry(module.clone())
                    .or_default()
                    .extend(whole.last().cloned().map(|name| (name, whole)));
            } else {
                named.entry(module.clone()).or_default().push(whole);
            }
        }
    }
    let mut edges = Edges::new();
    for (module, paths) in named {
        let others = paths.into_iter().map(|path| home(path, &modules, &shown));
        let others = others.filter(|other| *other != module && !other.is_empty()).collect();
        edges.insert(module, others);
    }
    edges
}

/// The module that a file is; `None` for tests, binaries and the crate's root.
fn module(path: &Path) -> Option<Module> {
    let names = path.with_extension("");
    let mut names: Module = names.iter().skip(1).map(|name| name.to_string_lossy().into_owned()).collect();
    names.pop_if(|name| name == "mod");
    let is_part = names.iter().all(|name| !matches!(&**name, "lib" | "bin" | "tests"));
    (is_part && !names.is_empty()).then_some(names)
}

/// Every path in a file.
fn written(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    let mut import: Option<String> = None;
    for line in code(text) {
        let line = line.split(" // ").next().unwrap_or(line).trim();
        let begins = line.starts_with("use ")
            || line.starts_with("pub use ")
            || (line.starts_with("pub(") && line.contains(") use "));
        if begins || import.is_some() {
            let whole = import.get_or_insert_default();
            whole.push_str(line);
            if line.ends_with(';') {
                let public = whole.starts_with("pub");
                let tree = whole.trim_end_matches(';').split_once("use ").map_or("", |(_, tree)| tree);
                let mut paths = Vec::new();
                expand(&[], tree, &mut paths);
                found.extend(paths.into_iter().map(|path| (path, public)));
                import = None;
            }
        } else {
            found.extend(inline(line).into_iter().map(|path| (path, false)));
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(before: &[String], tree: &str, paths: &mut Vec<Module>) {
    let names = |text: &str| -> Module {
        text.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let mut path = before.to_vec();
        path.extend(names(tree.split(" as ").next().unwrap_or(tree)));
        path.pop_if(|name| name == "self");
        paths.extend((!path.is_empty()).then_some(path));
        return;
    };
    let mut path = before.to_vec();
    path.extend(names(head));
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut depth = 0;
    for part in inside.split_inclusive(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    }) {
        expand(&path, part.trim_end_matches(','), paths);
    }
}

/// The paths in a line that is not an import.
fn inline(line: &str) -> Vec<Module> {
    let line = line.replace("pub(in crate::", "pub(in ");
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let paths = words.filter(|word| word.contains("::"));
    paths.map(|path| path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()).collect()
}

/// A path from the crate's root; `None` where it leads out of the crate.
fn whole(module: &Module, written: &[String], modules: &BTreeMap<Module, &Path>) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = written;
    match &*rest.first()?.clone() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while let Some(("super", after)) = rest.split_first().map(|(name, after)| (name.as_str(), after))
            {
                base.pop();
                rest = after;
            }
        }
        name => {
            base.push(name.to_owned());
            if !modules.contains_key(&base) {
                return None;
            }
            base.pop();
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The module that defines what a path names.
fn home(
    mut path: Module,
    modules: &BTreeMap<Module, &Path>,
    shown: &BTreeMap<Module, BTreeMap<String, Module>>,
) -> Module {
    loop {
        let length = (0..=path.len()).rev().find(|&length| modules.contains_key(&path[..length]));
        let length = length.unwrap_or(0);
        let next = path.get(length).and_then(|name| shown.get(&path[..length])?.get(name));
        match next {
            Some(next) if *next != path[..=length] => path = [next, &path[length + 1..]].concat(),
            _ => return path[..length].to_vec(),
        }
    }
}

/// The same between the children of a folder: what is in a child counts as the child.
pub(super) fn between_children(edges: &Edges, folder: &[String]) -> Edges {
    let child = |module: &Module| Some(vec![module.strip_prefix(folder)?.first()?.clone()]);
    let mut between = Edges::new();
    for (module, others) in edges {
        let Some(child_of) = child(module) else { continue };
        let others = others.iter().filter_map(child).filter(|other| *other != child_of);
        between.entry(child_of.clone()).or_default().extend(others.collect::<Vec<_>>());
    }
    between
}

/// The modules that import each other, directly or through others: one line a circle.
pub(super) fn circles(edges: &Edges) -> Vec<String> {
    let reached = |from: &Module| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(module) = open.pop() {
            for other in edges.get(module).into_iter().flatten() {
                if reached.insert(other) {
                    open.push(other);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|module| (module, reached(module))).collect();
    let circle = |module: &Module| -> BTreeSet<&Module> {
        let back = |other: &&&Module| reached.get(**other).is_some_and(|all| all.contains(module));
        reached[module].iter().filter(back).copied().collect()
    };
    let circles: BTreeSet<_> = edges.keys().map(circle).filter(|circle| !circle.is_empty()).collect();
    circles
        .into_iter()
        .map(|circle| {
            let names: Vec<String> = circle.into_iter().map(|module| module.join("::")).collect();
            names.join(" ↔ ")
        })
        .collect()
}
