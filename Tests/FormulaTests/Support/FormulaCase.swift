import Domain
import Foundation
import TestSupport
import Testing

/// One line of the language's specification: a formula with what it must give, and why.
///
/// The cases lie in `Cases/`, a file for each group. They come from the reference, the calendar and IEEE arithmetic,
/// never from this evaluator; `decision` marks what the reference leaves open and we chose.
struct FormulaCase: Sendable, CustomTestStringConvertible {
    enum Expectation: Sendable {
        case value(JSONValue, isExact: Bool)
        /// It does not compile; the position where the case tells it.
        case invalid(position: Int?)
    }

    let id: String
    /// The function whose case it is; nil for those of the language itself.
    let function: String?
    /// One of `kinds`.
    let kind: String
    let formula: String
    let why: String
    let isDecision: Bool
    let expectation: Expectation
    /// The whole case, which is also the question that the JSON face takes.
    let json: JSONValue

    static let kinds: Set = ["ordinary", "edge", "blank", "error", "mix"]

    var testDescription: String { "\(id): \(formula)" }

    init(_ json: JSONValue) throws {
        func text(_ key: String) throws -> String {
            try #require(json[key]?.stringValue, "a case without \(key): \(json.text)")
        }
        id = try text("id")
        formula = try text("formula")
        kind = try text("kind")
        why = try text("why")
        function = json["function"]?.stringValue
        isDecision = json["decision"]?.boolValue == true
        self.json = json
        if json["invalid"]?.boolValue == true {
            expectation = .invalid(position: json["position"]?.intValue)
        } else {
            let value = try #require(json["value"], "\(id) says neither value nor invalid")
            expectation = .value(value, isExact: json["exact"]?.boolValue == true)
        }
    }

    /// All cases, in the order of the files' names.
    static let all: [Self] = {
        do {
            let directory = repositoryRoot.appendingPathComponent("Tests/FormulaTests/Cases")
            let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            return try files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }.flatMap { file in
                let document = try JSONValue(parsing: [UInt8](try Data(contentsOf: file)))
                return try (try #require(document.arrayValue)).map(FormulaCase.init)
            }
        } catch {
            Issue.record(error, "The cases could not be read.")
            return []
        }
    }()
}
