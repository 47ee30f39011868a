public import Domain

/// Why an import stopped: which file, which line, what was expected.
public struct ImportError: Failure, Equatable {
    public enum Code: String, Sendable {
        case unreadable = "UNREADABLE_FILE"
        case malformedRow = "MALFORMED_ROW"
        case malformedFile = "MALFORMED_FILE"
        case malformedPlan = "MALFORMED_BASE_JSON"
        case invalidValue = "INVALID_VALUE"
        case unknownLink = "UNKNOWN_LINK"
        case nothingToImport = "NOTHING_TO_IMPORT"
        case baseExists = "BASE_EXISTS"
        case busy = "IMPORT_RUNNING"
    }

    public let code: Code
    public let message: String
    public let hint: String?
    /// The line of the file, counted from 1; nil when it is not about one.
    public let line: Int?
    /// Whether the file is not there at all.
    let isMissing: Bool

    public var kind: FailureKind {
        switch code {
        case .baseExists: .conflict
        case .unreadable: isMissing ? .notFound : .invalid
        case .busy: .busy
        default: .invalid
        }
    }

    init(_ code: Code, _ message: String, hint: String? = nil, line: Int? = nil, isMissing: Bool = false) {
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.isMissing = isMissing
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code && left.line == right.line }

    static func unreadable(_ path: String, reason: String) -> Self {
        Self(.unreadable, "\(path) can't be read: \(reason)")
    }

    static func missing(_ path: String) -> Self {
        Self(.unreadable, "\(path) can't be read: there is no such file or directory", isMissing: true)
    }

    /// What is wrong with a file as a whole, such as its first row: leaving rows out does not help.
    static func malformedFile(_ path: String, line: Int? = nil, _ problem: String) -> Self {
        Self(.malformedFile, "\(path)\(line.map { ", line \($0)" } ?? ""): \(problem)", line: line)
    }

    static func malformedRow(_ path: String, line: Int, _ problem: String) -> Self {
        Self(.malformedRow, "\(path), line \(line): \(problem)", hint: skipHint, line: line)
    }

    static func invalidValue(_ path: String, line: Int, column: String, _ problem: String) -> Self {
        Self(.invalidValue, "\(path), line \(line), column \"\(column)\": \(problem)", hint: skipHint, line: line)
    }

    static func malformedPlan(_ path: String, _ problem: String) -> Self {
        Self(.malformedPlan, "\(path): \(problem)")
    }

    private static let skipHint = "mend the file, or leave such rows out (--skip-bad-rows, ?skipBadRows=true)"
}
