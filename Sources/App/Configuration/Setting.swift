/// One thing that can be configured, under its four names.
///
/// The catalogue is the single source: reading, `config print` and the table in docs/configuration.md all
/// come from it. Order of precedence: flag, environment, `DIR/config.json`, default.
public struct Setting: Sendable, Hashable {
    /// As in the documentation, such as `DATABASE_URL`.
    public let name: String
    /// Secrets come from the environment or a file, never by flag, and never appear in any output.
    public let isSecret: Bool
    /// Shown in the documentation; what is really used may be computed from other settings.
    public let defaultText: String
    public let summary: String
    /// Whether other programs know the variable under this very name, such as `GEMINI_API_KEY`.
    let isCustomary: Bool
    private let hasFlag: Bool

    init(
        _ name: String,
        default defaultText: String,
        secret: Bool = false,
        customary: Bool = false,
        flag: Bool = true,
        _ summary: String
    ) {
        self.name = name
        self.isSecret = secret
        self.isCustomary = customary
        self.hasFlag = flag
        self.defaultText = defaultText
        self.summary = summary
    }

    /// The environment variable: `PYAIRTABLE_DATABASE_URL`, or a customary name as it is.
    public var environmentName: String { isCustomary ? name : "PYAIRTABLE_\(name)" }

    /// The key in `config.json`: `databaseUrl`.
    public var fileKey: String {
        let words = name.split(separator: "_").map { $0.lowercased() }
        return words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// The flag, such as `--database-url`; nil for secrets, and for what is set once and for all.
    public var flag: String? {
        isSecret || !hasFlag ? nil : "--" + name.lowercased().replacing("_", with: "-")
    }
}

extension Setting {
    public static let data = Setting(
        "DATA",
        default: "data",
        "Directory of everything that is kept: database, index, keys, config.json."
    )
    public static let databaseURL = Setting(
        "DATABASE_URL",
        default: "sqlite:DATA/pyairtable.sqlite",
        "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME?sslmode=…`. Printed without its password."
    )
    public static let bind = Setting(
        "BIND",
        default: "127.0.0.1:8080",
        "Address and port of the page and the API. Port 0 takes a free one."
    )
    public static let adminBind = Setting(
        "ADMIN_BIND",
        default: "127.0.0.1:8081",
        "Address and port of the admin listener (`/metrics`), or `off`. Keep it away from the public."
    )
    public static let allowedOrigins = Setting(
        "ALLOWED_ORIGINS",
        default: "none",
        "Web pages that may call the API beside the server's own, between commas: `https://notes.example`."
    )
    public static let modelDirectory = Setting(
        "MODEL_DIR",
        default: "models/all-MiniLM-L6-v2",
        "Directory of the local embedding model (a sentence-transformers directory of BERT type)."
    )
    public static let embedder = Setting(
        "EMBEDDER",
        default: "local",
        "`local` is the transformer of MODEL_DIR; `hash` is a deterministic stand-in without meaning, for tests."
    )
    public static let threads = Setting(
        "THREADS",
        default: "number of cores",
        "Threads for CPU work: embedding and vector search."
    )
    public static let logLevel = Setting(
        "LOG_LEVEL",
        default: "notice on a terminal, info otherwise, warning for `chat` and `jobs`",
        "`trace debug info notice warning error critical`."
    )
    public static let masterKeyFile = Setting(
        "MASTER_KEY_FILE",
        default: "DATA/keys/master",
        "File of the key that encrypts stored credentials; made at first start, readable by its owner only."
    )
    public static let masterKey = Setting(
        "MASTER_KEY",
        default: "none",
        secret: true,
        "The same key as base64 of 32 bytes, in place of the file."
    )
    public static let changeLogDays = Setting(
        "CHANGE_LOG_DAYS",
        default: "30",
        "Days that the change log is kept. A consumer that falls behind reads everything again."
    )
    public static let changeLogBytes = Setting(
        "CHANGE_LOG_BYTES",
        default: "1073741824",
        "Bytes of the change log that are kept, whichever of the two comes first."
    )

    /// Every setting, in the order of the documentation.
    public static let all: [Setting] =
        [
            .data, .databaseURL, .bind, .adminBind, .allowedOrigins, .modelDirectory, .embedder, .threads, .logLevel,
            .masterKeyFile, .masterKey, .changeLogDays, .changeLogBytes,
        ] + edge + accounts + airtable + tokens + hosted + models + safety

    /// docs/configuration.md's table, one row a setting.
    public static var markdownTable: String {
        let head = "| setting | flag | environment | config.json | default | meaning |\n|---|---|---|---|---|---|\n"
        return head
            + all.map { setting in
                let flag = setting.flag.map { "`\($0)`" } ?? "–"
                let names = "`\(setting.environmentName)` | `\(setting.fileKey)`"
                return "| `\(setting.name)` | \(flag) | \(names) | \(setting.defaultText) | \(setting.summary) |\n"
            }.joined()
    }
}
