//! `doctor` without an engine.

use crate::on_sail::doctor::doctor;

#[test]
fn an_engine_that_is_missing_needs_an_index_that_answers() {
    let cache = doctor(&[]).path("cache");
    let index = |url: &str| {
        doctor(&["--offline"])
            .env("PIPECTL_CACHE_DIR", &cache)
            .env("PIP_INDEX_URL", url)
            .env("PIP_RETRIES", "0")
    };
    let outcome = index("http://127.0.0.1:9/simple").env("PIP_NO_CACHE_DIR", "1").code(69).run();
    assert!(outcome.stdout.contains("Sail 0.7.2 is not installed"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("problem  network"), "{}", outcome.stdout);
}
