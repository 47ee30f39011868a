import Domain

/// Bodies of requests that change bases, tables and fields, and make views.

struct UpdateBaseBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateBaseRequest"
    static let schema = JSONSchema.object(properties: ["name": .string()], required: ["name"])
    static let example: JSONValue = ["name": "Chemistry"]
}

struct UpdateTableBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateTableRequest"
    static let schema = JSONSchema.object(
        properties: ["name": .string(), "description": .string(description: "Empty or null takes it away.")],
        description: "What is not given stays."
    )
    static let example: JSONValue = ["name": "Elements", "description": "All that are known"]
}

struct UpdateFieldBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateFieldRequest"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(),
            "description": .string(description: "Empty or null takes it away."),
            "options": .dictionary(
                of: .any,
                description: "As the meta API shows them; `choices` is the whole list in its new order."
            ),
            "enableSelectFieldChoiceDeletion": .boolean(
                description: "Whether choices left out are deleted; else leaving one out is refused.",
                default: false
            ),
        ],
        description: "What is not given stays."
    )
    static let example: JSONValue = ["name": "Mass", "options": ["precision": 4]]
}

/// What several shapes of views share.
private enum ViewPiece {
    static let filter = JSONSchema.string(description: "Only records for which this formula is true.")
    static let sort = JSONSchema.array(
        of: .object(
            properties: ["field": .string(), "direction": .string(enum: ["asc", "desc"])],
            required: ["field"]
        )
    )
    static let visible = JSONSchema.array(
        of: .string(),
        description: "By identifier or name, in this order, the primary field first; all unless given."
    )
}

struct CreateViewBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateViewRequest"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(), "type": .string(enum: ["grid"]), "filterByFormula": ViewPiece.filter,
            "sort": ViewPiece.sort, "visibleFieldIds": ViewPiece.visible,
        ],
        required: ["name"]
    )
    static let example: JSONValue = [
        "name": "Gases", "filterByFormula": "{State}='Gas'", "sort": [["field": "Name", "direction": "asc"]],
    ]
}

struct UpdateViewBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateViewRequest"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(), "filterByFormula": .anyOf([ViewPiece.filter, .null]),
            "sort": .anyOf([ViewPiece.sort, .null]),
            "visibleFieldIds": .anyOf([ViewPiece.visible, .null]),
        ],
        description: "What is not given stays; what is null is taken away."
    )
    static let example: JSONValue = ["name": "Gases", "filterByFormula": .null]
}

struct ViewWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "View"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.viewId.schema, "name": .string(), "type": .string(),
            "visibleFieldIds": ViewPiece.visible, "filterByFormula": ViewPiece.filter, "sort": ViewPiece.sort,
        ],
        required: ["id", "name", "type", "visibleFieldIds"]
    )
    static let example: JSONValue = [
        "id": "viwGases000000001", "name": "Gases", "type": "grid",
        "visibleFieldIds": [.string(Sample.name.description)], "filterByFormula": "{State}='Gas'",
    ]
}

struct ViewListWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "ViewList"
    static let schema = JSONSchema.object(properties: ["views": .array(of: ViewWire.schema)], required: ["views"])
    static let example: JSONValue = ["views": [ViewWire.example]]
}
