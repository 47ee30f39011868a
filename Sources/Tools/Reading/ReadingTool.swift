import Airtable
import Domain

/// A tool that reads by its own permission, and needs no other.
protocol ReadingTool: Tool {
    var airtable: AirtableService { get }
}

extension ReadingTool {
    var reads: GatedReads { airtable.reads(by: permission) }
}

/// Arguments that several tools take, the same in all of them.
extension JSONSchema {
    /// The header lets a proxy route by base without reading bodies.
    static let baseArgument = JSONSchema.string(
        description: "Base: name or id.",
        minLength: 1,
        maxLength: Limits.nameCharacters
    ).with(keyword: "x-mcp-header", "Airtable-Base")
    static let tableArgument = JSONSchema.string(
        description: "Table: name or id.",
        minLength: 1,
        maxLength: Limits.nameCharacters
    )
    static let recordArgument = JSONSchema.string(
        description: "Id of the record, rec….",
        minLength: 1,
        maxLength: Limits.nameCharacters
    )
    static let fieldArgument = JSONSchema.string(
        description: "Field: name or id.",
        minLength: 1,
        maxLength: Limits.nameCharacters
    )
    static let fieldsArgument = JSONSchema.array(
        of: .string(minLength: 1, maxLength: Limits.nameCharacters),
        description: "Only these fields, by name or id.",
        maxItems: Limits.fieldsPerTable
    )
    static let formulaArgument = JSONSchema.string(
        description: "Airtable formula, such as AND({Status}='Done', {Rank}>3).",
        maxLength: Limits.formulaCharacters
    )
    static let cursorArgument = JSONSchema.string(
        description: "The answer before gave it.",
        minLength: 1,
        maxLength: 4_096
    )
    static let cursorAnswer = JSONSchema.string(description: "For the next page.")
    static let questionArgument = JSONSchema.string(minLength: 1, maxLength: Limits.queryCharacters)

    static func limitArgument(_ what: String, default count: Int, max: Int) -> JSONSchema {
        .integer(description: "\(what) at most; \(count) unless given.", minimum: 1, maximum: max)
    }

    /// The same with one more keyword.
    func with(keyword: String, _ value: JSONValue) -> JSONSchema {
        guard case .object(var members) = json else { return self }
        members[keyword] = value
        return JSONSchema(json: .object(members))
    }
}

/// Places in a list that is made anew for each page.
enum PageCursor {
    static func text(_ index: Int) -> String { "at\(index)" }

    /// - Throws: `.invalidOffset`.
    static func index(_ text: String?) throws -> Int {
        guard let text else { return 0 }
        guard text.hasPrefix("at"), text.utf8.count <= 12, let index = Int(text.dropFirst(2)), index > 0 else {
            throw Self.notOurs
        }
        return index
    }

    static var notOurs: AirtableError {
        AirtableError(
            .invalidOffset,
            "The cursor is not one that this tool answered with these arguments.",
            hint: "start again without it"
        )
    }
}

/// How to go on, in our own words: beside the data of a result, not in it.
enum Advice {
    static func more(_ cursor: String) -> String { "There is more: call again with cursor \"\(cursor)\"." }
}
