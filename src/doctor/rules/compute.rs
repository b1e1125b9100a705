//! Fargate: CPU and memory sizes, and the number of tasks.

use crate::doctor::subject::Subject;
use crate::document::Place;
use crate::finding::{Check, Rule, Severity, Sink};

const SERVICES: [&str; 2] = ["app", "elasticsearch"];

/// The memory sizes in MiB that Fargate combines with a CPU size.
#[derive(Clone, Copy)]
enum Memory {
    /// From, to, step.
    Range(i64, i64, i64),
    /// These values only.
    List(&'static [i64]),
}

/// Source: Amazon ECS, "Task CPU and memory" for Fargate.
const SIZES: [(i64, Memory); 8] = [
    (256, Memory::List(&[512, 1024, 2048])),
    (512, Memory::Range(1024, 4096, 1024)),
    (1024, Memory::Range(2048, 8192, 1024)),
    (2048, Memory::Range(4096, 16384, 1024)),
    (4096, Memory::Range(8192, 30720, 1024)),
    (8192, Memory::Range(16384, 61440, 4096)),
    (16384, Memory::Range(32768, 122_880, 8192)),
    (32768, Memory::List(&[61440, 122_880, 249_856])),
];

impl Memory {
    fn includes(self, memory: i64) -> bool {
        match self {
            Self::Range(from, to, step) => (from..=to).contains(&memory) && memory % step == 0,
            Self::List(values) => values.contains(&memory),
        }
    }

    /// The value to write instead: the next larger one, otherwise the largest.
    fn nearest(self, memory: i64) -> i64 {
        match self {
            Self::Range(from, to, step) => (memory.clamp(from, to) + step - 1) / step * step,
            Self::List(values) => {
                let up = values.iter().find(|value| **value >= memory);
                up.or(values.last()).copied().unwrap_or_default()
            }
        }
    }

    fn describe(self) -> String {
        match self {
            Self::Range(from, to, step) => format!("{from} to {to} in steps of {step}"),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(i64::to_string).collect();
                values.join(", ")
            }
        }
    }
}

/// Sizes and counts.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "ECS001",
            name: "unknown-fargate-cpu",
            severity: Severity::Error,
            summary: "Fargate has no task of this CPU size",
            explain: include_str!("../../../docs/rules/ECS001.md"),
        },
        run: cpu,
    },
    Check {
        rule: Rule {
            code: "ECS002",
            name: "memory-against-cpu",
            severity: Severity::Error,
            summary: "Fargate does not combine this memory with this CPU",
            explain: include_str!("../../../docs/rules/ECS002.md"),
        },
        run: memory,
    },
    Check {
        rule: Rule {
            code: "ECS003",
            name: "starved-java",
            severity: Severity::Warning,
            summary: "Too little memory for a Java service",
            explain: include_str!("../../../docs/rules/ECS003.md"),
        },
        run: starved,
    },
    Check {
        rule: Rule {
            code: "ECS004",
            name: "no-task",
            severity: Severity::Error,
            summary: "The number of tasks is less than 1",
            explain: include_str!("../../../docs/rules/ECS004.md"),
        },
        run: none,
    },
    Check {
        rule: Rule {
            code: "ECS005",
            name: "many-elasticsearch",
            severity: Severity::Error,
            summary: "More than one Elasticsearch task",
            explain: include_str!("../../../docs/rules/ECS005.md"),
        },
        run: many,
    },
    Check {
        rule: Rule {
            code: "ECS006",
            name: "single-app-in-production",
            severity: Severity::Warning,
            summary: "One app task in production",
            explain: include_str!("../../../docs/rules/ECS006.md"),
        },
        run: single,
    },
];

fn at(service: &str, key: &str) -> String {
    format!("/config/ecs/task/{service}/{key}")
}

fn cpu(subject: &Subject, sink: &mut Sink<'_>) {
    for service in SERVICES {
        let at = at(service, "cpu");
        let Some(cpu) = subject.number(&at) else {
            continue;
        };
        if SIZES.iter().any(|size| size.0 == cpu) {
            continue;
        }
        let help = match cpu {
            1..=32 if SIZES.iter().any(|size| size.0 == cpu * 1024) => {
                format!("the unit is CPU units, not virtual CPUs: write {}", cpu * 1024)
            }
            _ => "write 256, 512, 1024, 2048, 4096, 8192, 16384 or 32768".to_owned(),
        };
        sink.value(at, format!("Fargate has no task of {cpu} CPU units")).help(help);
    }
}

fn memory(subject: &Subject, sink: &mut Sink<'_>) {
    for service in SERVICES {
        let place = at(service, "memory");
        let Some(memory) = subject.number(&place) else {
            continue;
        };
        let cpu = subject.number(&at(service, "cpu"));
        let size = SIZES.iter().find(|size| Some(size.0) == cpu);
        match size {
            Some((cpu, fitting)) if !fitting.includes(memory) => {
                let meant = if memory < 256 { memory * 1024 } else { memory };
                sink.value(place, format!("{memory} MiB of memory cannot be combined with {cpu} CPU units"))
                    .help(format!("write {}; possible: {}", fitting.nearest(meant), fitting.describe()))
                    .related(Place::value(at(service, "cpu")), "the CPU units");
            }
            // The CPU size is missing or wrong, but no CPU size has this memory.
            None if !SIZES.iter().any(|(_, fitting)| fitting.includes(memory))
                && (subject.has_error(&at(service, "cpu")) || cpu.is_none()) =>
            {
                sink.value(place, format!("Fargate has no task of {memory} MiB"))
                    .help("write a multiple of 1024 from 1024 to 249856, or 512");
            }
            _ => {}
        }
    }
}

fn starved(subject: &Subject, sink: &mut Sink<'_>) {
    for service in SERVICES {
        let place = at(service, "memory");
        if subject.number(&place) == Some(512) && subject.number(&at(service, "cpu")) == Some(256) {
            sink.value(place, format!("512 MiB are too little for the {service} container"))
                .help("write at least 1024, better 4096");
        }
    }
}

fn none(subject: &Subject, sink: &mut Sink<'_>) {
    for service in SERVICES {
        let at = at(service, "desired_count");
        if let Some(count) = subject.number(&at).filter(|count| *count < 1) {
            let better = if service == "app" { 2 } else { 1 };
            sink.value(at, format!("{count} {service} tasks: nothing would run"))
                .help(format!("write {better}"));
        }
    }
}

fn many(subject: &Subject, sink: &mut Sink<'_>) {
    let at = at("elasticsearch", "desired_count");
    if let Some(count) = subject.number(&at).filter(|count| *count > 1) {
        sink.value(at, format!("{count} Elasticsearch tasks have {count} separate indexes"))
            .help("write 1; give that task more memory instead");
    }
}

fn single(subject: &Subject, sink: &mut Sink<'_>) {
    let at = at("app", "desired_count");
    if subject.is_production() && subject.number(&at) == Some(1) {
        sink.value(at, "production has one app task: each failure of it is an outage")
            .help("write 2 or more");
    }
}
