import Airtable
import Domain

/// A tool that reads by its own permission, and needs no other.
protocol ReadingTool: Tool {
    var airtable: AirtableService { get }
}

extension ReadingTool {
    var reads: GatedReads { airtable.reads(by: permission) }
}

extension GatedReads {
    /// A table and its base by what a caller calls them: a name in any case, or an identifier.
    func place(_ table: String, in base: String, _ context: RequestContext) async throws -> (base: Base, table: Table) {
        let base = try await self.base(base, context: context)
        return (base, try await self.table(table, in: base.id, context: context))
    }
}

/// A name with its identifier, as answers refer to bases and tables.
struct NamedPlace: WireType, Hashable {
    var id: String
    var name: String

    init(_ base: Base) { (id, name) = (base.id.description, base.name) }
    init(_ table: Table) { (id, name) = (table.id.description, table.name) }

    static var schema: JSONSchema {
        .object(properties: ["id": .string(), "name": .string()], required: ["id", "name"])
    }

    static func schema(_ what: String, prefix: String) -> JSONSchema {
        .object(
            properties: ["id": .string(description: "\(prefix)…"), "name": .string()],
            required: ["id", "name"],
            description: what
        )
    }
}

extension JSONSchema {
    static let baseArgument = JSONSchema.string(
        description: "Name or id (app…) of the base. list_bases shows both.",
        minLength: 1,
        maxLength: Limits.nameCharacters
    )
    static let tableArgument = JSONSchema.string(
        description: "Name or id (tbl…) of the table. list_tables shows both.",
        minLength: 1,
        maxLength: Limits.nameCharacters
    )
}
