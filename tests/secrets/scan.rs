//! `scan`: values in files, and what could not be searched.

use crate::support::Folder;
use crate::world::World;

const CANARY: &str = "Canary-5ca0-scan";

#[test]
fn values_are_found_with_their_place_and_never_shown() {
    let Some(world) = World::new() else { return };
    world.offline("scan .", "").exits(4).says("has no value to search for");
    world.offline("set rds/password", &format!("{CANARY}\n")).exits(0);
    let folder = Folder::empty();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("clean.txt", b"nothing here\n");
    let scan = |code: i32| world.offline(&format!("scan {}", folder.path().display()), "").exits(code);
    scan(0).shows("0 found in 1 searched file");
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    write("deep/.bash_history", format!("ls\nmysql -p{CANARY}\n").as_bytes());
    write(
        "terraform.tfstate",
        format!("{{\n \"password\": \"{}\"\n}}\n", CANARY.replace('-', "\\u002d")).as_bytes(),
    );
    write("coded", b"x: Q2FuYXJ5LTVjYTAtc2Nhbg==\n");
    let ran = scan(1).shows(".bash_history:2: rds/password").shows("coded:1: rds/password");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(CANARY));
    std::fs::remove_dir_all(folder.path().join("deep")).unwrap();
    std::fs::remove_file(folder.path().join("coded")).unwrap();
    write("osmt.tfplan", b"PK\x03\x04rest");
    scan(3).says("osmt.tfplan was not searched: it is a ZIP archive");
    world.offline("scan -", &format!("a {CANARY} b")).exits(1).shows("-:1: rds/password");
    world.offline("scan /nowhere/at/all", "").exits(3).says("was not searched");
}
