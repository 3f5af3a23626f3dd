//! The measurement measures: every figure is printed, each with what it promises.

use std::collections::BTreeMap;

use harness::program::Program;
use serde_json::Value;

#[test]
fn heavy_every_figure_is_printed() {
    let mut bench = Program::new();
    bench.args(["bench", "--members", "50", "--json", "--quiet"]);
    let output = bench.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut figures: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let figure: Value = serde_json::from_str(line).unwrap();
        figures.entry(figure["bench"].as_str().unwrap().to_owned()).or_default().push(figure);
    }
    // Left out knowingly where a person said so; the harness says no to anything else.
    let left_out = |name: &str| name.ends_with("_postgres") && !harness::postgres::is_there();
    for name in rollbook::bench::NAMES.into_iter().filter(|name| !left_out(name)) {
        for figure in figures.get(name).unwrap_or_else(|| panic!("{name} was not printed: {figures:?}")) {
            let rate = figure.get("events_per_s").or(figure.get("per_s")).and_then(Value::as_f64);
            assert!(rate.unwrap() > 0.0 && figure["n"].as_u64().unwrap() > 0, "{figure}");
            assert_eq!(figure["members"], 50, "{figure}");
            for promised in ["p50_ms", "p99_ms", "rss_mb", "cpu_s"] {
                assert!(figure.get(promised).is_some(), "{figure}");
            }
            let timed = ["flush", "raw_p", "append", "lag", "query"].iter().any(|timed| name.starts_with(timed));
            assert!(!timed || name == "raw_postgres" || figure["p99_ms"].as_f64().unwrap() > 0.0, "{figure}");
        }
    }
    assert_eq!(figures["lag"].len(), 2, "at two paces");
}
