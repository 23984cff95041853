//! How far a download is: a bar on a terminal, elsewhere a line each ten seconds.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::units::size;

/// How often a line tells it.
const TOLD_EVERY: Duration = Duration::from_secs(10);
const KNOWN: &str =
    "  {msg} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
const UNKNOWN: &str = "  {spinner} {msg} {decimal_bytes}, {decimal_bytes_per_sec}";

/// So many bytes of something, of so many where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount<'a> {
    pub(crate) what: &'a str,
    pub(crate) bytes: u64,
    pub(crate) of: Option<u64>,
}

/// What lines tell: when that was last, and how far it was then.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<(Instant, u64)>);

impl Pace {
    /// A line where it is time for one. The first one comes when the time has passed for the first time.
    pub(super) fn line(&mut self, now: Instant, amount: &Amount<'_>) -> Option<String> {
        let (told, before) = *self.0.get_or_insert((now, amount.bytes));
        let passed = now.saturating_duration_since(told);
        if passed < TOLD_EVERY {
            return None;
        }
        self.0 = Some((now, amount.bytes));
        let milliseconds = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let rate = size(amount.bytes.saturating_sub(before) * 1000 / milliseconds.max(1));
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let fetched = megabytes(amount.bytes);
        Some(match amount.of.filter(|of| *of > 0) {
            Some(of) => {
                let percent = amount.bytes.saturating_mul(100) / of;
                format!(
                    "fetched {fetched} of {} MB of {} ({percent} %), {rate}/s",
                    megabytes(of),
                    amount.what
                )
            }
            None => format!("fetched {fetched} MB of {}, {rate}/s", amount.what),
        })
    }
}

/// A bar for a download.
pub(super) fn bar(moving: &MultiProgress, amount: &Amount<'_>) -> ProgressBar {
    let (bar, template) = match amount.of {
        Some(of) => (ProgressBar::new(of), KNOWN),
        None => (ProgressBar::new_spinner(), UNKNOWN),
    };
    let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
    let bar = moving.add(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())));
    bar.set_message(amount.what.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(of: Option<u64>) -> String {
        let (mut pace, began) = (Pace::default(), Instant::now());
        let lines = (0..=250_u64).filter_map(|tenths| {
            let amount = Amount { what: "Sail 0.7.2", bytes: tenths * 250_000, of };
            pace.line(began + Duration::from_millis(tenths * 100), &amount)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_line_each_ten_seconds_tells_percent_megabytes_and_rate() {
        insta::assert_snapshot!(told(Some(63_071_356)), @"
        fetched 25 of 63 MB of Sail 0.7.2 (39 %), 2.50 MB/s
        fetched 50 of 63 MB of Sail 0.7.2 (79 %), 2.50 MB/s
        ");
    }

    #[test]
    fn without_a_total_there_is_no_percentage() {
        insta::assert_snapshot!(told(None), @"
        fetched 25 MB of Sail 0.7.2, 2.50 MB/s
        fetched 50 MB of Sail 0.7.2, 2.50 MB/s
        ");
        assert_eq!(told(Some(0)), told(None));
    }

    #[test]
    fn a_bar_knows_its_total() {
        let moving = MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden());
        let amount = Amount { what: "Sail 0.7.2", bytes: 1, of: Some(10) };
        let bar = bar(&moving, &amount);
        bar.set_position(amount.bytes);
        assert_eq!((bar.length(), bar.position(), bar.message().as_str()), (Some(10), 1, "Sail 0.7.2"));
        // Templates that are wrong would show nothing.
        for template in [KNOWN, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
