//! Spark: <https://spark.apache.org>, whose Spark Connect server is started from the jars of `PyPI`'s package `pyspark`.
//!
//! The server's class is run by Java directly: `spark-submit` would start a second JVM first and read the user's settings, so
//! that the same pipeline would do different things on different machines. Everything listens on the loopback address alone,
//! and whoever calls needs the token of this run, since other users of the machine reach that address too.

use std::fmt::Write as _;
use std::path::Path;

use super::class_data;
use super::folder::Folder;
use super::installation::Installation;
use super::java::Java;
use super::kind::Version;
use super::launch::{Launch, LaunchSettings};
use super::packages::{Archive, Packages};

/// What is known about a version.
pub(super) struct Release {
    pub packages: Packages,
    pub newest_java: u32,
}

/// The oldest Java that any of them runs on.
pub(super) const OLDEST_JAVA: u32 = 17;
/// Hadoop before 3.5 asks Java for what it has not had since 23, so that the server ends at once.
const NEWEST_JAVA_OF_HADOOP_3_4: u32 = 22;
/// The newest one that it was tried with.
const NEWEST_JAVA_OF_HADOOP_3_5: u32 = 25;

const PROOF: &str = "check()";

macro_rules! release {
    ($version:literal, $minor:literal, $bytes:literal, $sha256:literal, $newest_java:expr) => {
        Release {
            packages: Packages {
                name: "spark",
                version: $version,
                title: concat!("Spark ", $version),
                install: concat!("pipectl engine install spark-", $minor),
                megabytes: 550,
                requirements: "",
                wheels: &[],
                beside: None,
                archives: &[Archive {
                    name: concat!("pyspark-", $version, ".tar.gz"),
                    project: "pyspark",
                    bytes: $bytes,
                    sha256: $sha256,
                    // The folder `jars/connect-repl` is for a Scala shell.
                    members: &[
                        (concat!("pyspark-", $version, "/deps/jars/"), "spark/jars/"),
                        (concat!("pyspark-", $version, "/deps/licenses/"), "spark/licenses/"),
                        (concat!("pyspark-", $version, "/LICENSE"), "spark/LICENSE"),
                        (concat!("pyspark-", $version, "/NOTICE"), "spark/NOTICE"),
                    ],
                }],
                files: &[],
                proof: PROOF,
            },
            newest_java: $newest_java,
        }
    };
}

static V4_0: Release = release!(
    "4.0.5",
    "4.0",
    434_376_598,
    "a0d44b0e7faf0458ad83b7aa664e7ed8b96beed8a55d66ce3b0dfac2309dfca6",
    NEWEST_JAVA_OF_HADOOP_3_4
);
static V4_1: Release = release!(
    "4.1.4",
    "4.1",
    455_589_214,
    "bcbd5e18690cf79d438e97210ad06fb8d451a251bb77becc2b0418868d2acd73",
    NEWEST_JAVA_OF_HADOOP_3_4
);
static V4_2: Release = release!(
    "4.2.1",
    "4.2",
    449_997_486,
    "d79b7c8ee41e66a9202fe6f600ca90b931ca571ae9dbdf31c58d2672e5102da0",
    NEWEST_JAVA_OF_HADOOP_3_5
);
static V4_3: Release = release!(
    "4.3.0",
    "4.3",
    455_910_862,
    "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6",
    NEWEST_JAVA_OF_HADOOP_3_5
);

impl Version {
    pub(super) fn release(self) -> &'static Release {
        match self {
            Self::V4_0 => &V4_0,
            Self::V4_1 => &V4_1,
            Self::V4_2 => &V4_2,
            Self::V4_3 => &V4_3,
        }
    }
}

/// Variables of the user's environment that the server does not get, by the beginning of their names. They would set it up as
/// the user's own Spark and Hadoop are, add options (agents, other heaps) to every Java, or make Java write lines of its own.
/// What says how to reach a store and who asks (`AWS_`, `AZURE_`, `GOOGLE_`, proxies) stays.
const DROPPED: &[&str] = &[
    "PIPECTL_",
    "SPARK_",
    "PYSPARK_",
    "PYTHON",
    "VIRTUAL_ENV",
    "CONDA_",
    "HADOOP_",
    "HIVE_",
    "YARN_",
    "LOCAL_DIRS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "LC_",
];

/// The packages of Java itself that Spark reaches into, as its own launcher opens them.
const OPENED: [&str; 15] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
];

/// Java's options, but for those that the program finds out.
const OPTIONS: &[&str] = &[
    "-XX:+IgnoreUnrecognizedVMOptions",
    // Would be left in the folder for all temporary files.
    "-XX:-UsePerfData",
    // Java's own remarks, as on an archive of classes that does not fit, would come on standard output.
    "-Xlog:disable",
    // Plans are trees, walked by recursion.
    "-Xss4m",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    // What rows are sent with needs the memory that Netty no longer touches by itself from Java 24 on.
    "-Dio.netty.noUnsafe=false",
    "-Dfile.encoding=UTF-8",
    "-Dspark.master=local[*]",
    "-Dspark.app.name=pipectl",
    "-Dspark.ui.enabled=false",
    "-Dspark.driver.bindAddress=127.0.0.1",
    "-Dspark.driver.host=127.0.0.1",
    "-Dspark.connect.grpc.binding.address=127.0.0.1",
    "-Dspark.connect.grpc.binding.port=0",
    // Who fetches a task's rows and runs out of memory ends, and a query waits for ever: better that all ends, and says why.
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+DisplayVMOutputToStderr",
    // Results pass through the driver while they are sent, and are not collected there: no reason to stop at 1 GiB.
    "-Dspark.driver.maxResultSize=0",
    // Batches of bytes and not of rows: 10,000 rows of 200 columns would be 17 MB at once.
    "-Dspark.connect.grpc.arrow.maxBatchSize=4m",
    // A quarter of what is usual, for files as for ranges: see `leaf_partitions`.
    "-Dspark.sql.files.maxPartitionBytes=32m",
    // Java's part of `--enable-native-access`: without it newer ones warn.
    "--enable-native-access=ALL-UNNAMED",
];

/// The log: warnings and worse go to standard error, and what says the port to standard output, as this program reads it.
const LOG: &str = r#"status = error
rootLogger.level = warn
rootLogger.appenderRef.all.ref = all
appender.all.type = Console
appender.all.name = all
appender.all.target = SYSTEM_ERR
appender.all.layout.type = PatternLayout
appender.all.layout.pattern = %p %c{1}: %m%n%ex{short.message}
appender.port.type = Console
appender.port.name = port
appender.port.target = SYSTEM_OUT
appender.port.layout.type = PatternLayout
appender.port.layout.pattern = %replace{%m}{^Spark Connect server started at: .*:([0-9]+)$}{\\{"listening": $1\\}}%n
logger.server.name = org.apache.spark.sql.connect.service.SparkConnectServer
logger.server.level = info
logger.server.additivity = false
logger.server.appenderRef.port.ref = port
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"#;

const SERVER: &str = "org.apache.spark.sql.connect.service.SparkConnectServer";

/// What Java is given to run a server, but for what its size and its archive of classes make of it.
pub(super) fn command(site: &Path, folder: &Path) -> Vec<String> {
    let jars = site.join("spark/jars/*").display().to_string();
    let options = format!("@{}", folder.join("java.options").display());
    vec!["-cp".to_owned(), jars, options, SERVER.to_owned()]
}

pub(super) fn launch(
    settings: &LaunchSettings,
    folder: &Folder,
    installation: &Installation,
    java: &Java,
) -> Launch {
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let heap = settings.memory.unwrap_or_default().to_string();
    let archive = class_data::archive(installation, java).display().to_string();
    let mut arguments = vec![folder.path().display().to_string(), heap, archive];
    arguments.push(java.program.display().to_string());
    arguments.extend(command(&installation.site(), folder.path()));
    Launch {
        arguments,
        environment: vec![
            ("SPARK_LOCAL_IP", "127.0.0.1".to_owned()),
            ("SPARK_LOCAL_DIRS", folder.spill().display().to_string()),
            // Without one, names of files that are not ASCII could not be read.
            ("LC_ALL", "C.UTF-8".to_owned()),
        ],
        dropped: DROPPED,
        files: vec![
            ("java.options", options(folder, java)),
            ("log.properties", LOG.to_owned()),
            ("token", token.clone()),
        ],
        token: Some(token),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Spark's own 200 are meant for a cluster: on one machine the tasks of a small aggregate would cost more than their work.
fn shuffle_partitions() -> usize {
    (4 * cores()).clamp(8, 200)
}

/// Spark makes as many of a range as there are cores. A task's rows are sent when the task has ended, and are in memory as one
/// until then: so few tasks would begin to send late, and run out of memory over a hundred million rows.
fn leaf_partitions() -> usize {
    (16 * cores()).clamp(32, 200)
}

fn options(folder: &Folder, java: &Java) -> String {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let opened = OPENED.iter().map(|package| format!("--add-opens={package}=ALL-UNNAMED"));
    let places = [
        format!("-Djava.io.tmpdir={}", folder.spill().display()),
        format!("-Dderby.system.home={}", path("work")),
        format!("-Dlog4j2.configurationFile={}", path("log.properties")),
        format!("-Dspark.sql.warehouse.dir={}", path("work/spark-warehouse")),
        format!("-Dspark.sql.shuffle.partitions={}", shuffle_partitions()),
        format!("-Dspark.sql.leafNodeDefaultParallelism={}", leaf_partitions()),
    ];
    // Older ones don't know it, and would not start.
    let memory = (java.feature >= 24).then(|| "--sun-misc-unsafe-memory-access=allow".to_owned());
    let mut text = String::new();
    for option in OPTIONS.iter().map(|&option| option.to_owned()).chain(memory).chain(opened).chain(places) {
        let quoted = option.replace('\\', r"\\").replace('"', "\\\"");
        let _never_fails = writeln!(text, "\"{quoted}\"");
    }
    text
}
