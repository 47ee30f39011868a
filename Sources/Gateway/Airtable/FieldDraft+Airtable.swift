import Airtable
import Domain

extension TableDraft {
    /// Of Airtable's meta API: the first field is the primary one.
    init(_ body: AirtableBody) throws {
        let name = try body.requiredText("name")
        guard let bodies = try body.objects("fields") else { throw AirtableRefusal.missing(body.path("fields")) }
        var fields: [FieldDraft] = []
        for body in bodies { fields.append(try FieldDraft(body)) }
        self.init(name: name, description: try body.text("description"), fields: fields)
    }
}

extension FieldDraft {
    /// Of Airtable's meta API, with options in the shape in which it shows them.
    init(_ body: AirtableBody) throws {
        let (name, type) = try (body.requiredText("name"), body.requiredText("type"))
        guard FieldType(rawValue: type) != nil else { throw AirtableRefusal.unsupportedFieldType(name) }
        try self.init(wire: .object(body.members))
    }
}
