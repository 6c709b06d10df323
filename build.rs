//! Makes sure that the folder of the built web app exists, and that a new build of it is embedded.
//! Never runs npm: `make build` does. Without a built app the binary serves a page that says so.

fn main() {
    let folder = std::path::Path::new("web/dist");
    if !folder.exists() {
        // Cargo would run this again at every build if the folder it watches were missing. A read-only
        // source tree is fine, too: the folder is then embedded as empty.
        drop(std::fs::create_dir_all(folder));
    }
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
}
