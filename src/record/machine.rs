//! The computer a run was made on, as far as it tells.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

/// The computer a run was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor, or `unknown`.
    pub cpu: String,
    /// Hardware threads that this process may use.
    pub cores: usize,
    /// Operating system, its version where known, and processor architecture.
    pub os: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let os = [std::env::consts::OS, release.trim(), std::env::consts::ARCH];
        let os = os.into_iter().filter(|part| !part.is_empty());
        Self {
            cpu: field(&cpuinfo, "model name")
                .unwrap_or("unknown")
                .to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            os: os.collect::<Vec<_>>().join(" "),
        }
    }
}

/// The most memory that this process has held so far (MiB); none where `/proc` does not tell, outside Linux.
pub fn peak_memory_mib() -> Option<f64> {
    parse_peak(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The memory that programs can still have on this machine (MiB); none where `/proc` does not tell, outside Linux.
pub fn available_memory_mib() -> Option<f64> {
    parse_kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable")
}

fn parse_peak(status: &str) -> Option<f64> {
    parse_kibibytes(status, "VmHWM")
}

/// A number of kB in a line of that name, in MiB.
fn parse_kibibytes(text: &str, name: &str) -> Option<f64> {
    let kibibytes = field(text, name)?.strip_suffix("kB")?.trim();
    Some(kibibytes.parse::<f64>().ok()? / 1024.0)
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_in_mebibytes() {
        let status = "Name:\tapical\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(parse_peak(status), Some(2.0));
        assert_eq!(parse_peak("VmHWM: lots"), None);
        assert_eq!(parse_peak(""), None);
    }

    #[test]
    fn available_memory_is_read_in_mebibytes() {
        let text = "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    3072 kB\n";
        assert_eq!(parse_kibibytes(text, "MemAvailable"), Some(3.0));
        assert_eq!(parse_kibibytes("MemTotal: 1 kB", "MemAvailable"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_memory_follows_what_is_held() {
        let before = peak_memory_mib();
        let held = vec![1_u8; 64 << 20];
        let after = peak_memory_mib();
        assert_eq!(
            held.iter()
                .step_by(4096)
                .map(|&byte| usize::from(byte))
                .sum::<usize>(),
            16384
        );
        assert!(before <= after, "{before:?} {after:?}");
        assert!(after > Some(64.0), "{after:?}");
    }

    #[test]
    fn processor_is_the_first_one_listed() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: Z80 @ 4 MHz\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(field(cpuinfo, "model name"), Some("Z80 @ 4 MHz"));
    }
}
