import Domain

extension PolicyActs {
    // MARK: Writing

    var writing: [String: PolicyAct] { cells.merging(designs) { $1 } }

    private var cells: [String: PolicyAct] {
        let (salt, blank, helium) = (salt, blank, helium)
        @Sendable func fill(_ record: JSONValue, _ field: JSONValue, _ value: String) -> JSONObject {
            [
                "records": [
                    ["recordId": record, "fields": .object([field.stringValue ?? "": .string(value)])]
                ]
            ]
        }
        return [
            "create a record": inTable("create_records", ["records": [["Name": .string("New \(salt)")]]]),
            "create one with the field": ofField("create_records") {
                ["records": [.object(["Name": "N", $0.stringValue ?? "": "x"])], "dryRun": true]
            },
            "fill a cell": inTable("update_records", fill(blank, "Notes", salt)),
            "fill the field's cell": ofField("update_records") { fill(blank, $0, salt) },
            "fill nearly the field's": of("Zzfiel", "Zzpain", "update_records") { fill(blank, $0, salt) },
            "fill a cell of the record": ofRecord("update_records") {
                fill($0, "State", "Gas").merging(["dryRun": true])
            },
            "overwrite a cell": inTable("update_records", fill(helium, "Name", salt)),
            "merge on the field": ofField("upsert_records") {
                [
                    "mergeOn": [$0], "records": [.object(["Name": "M", $0.stringValue ?? "": .string(salt)])],
                    "dryRun": true,
                ]
            },
            "merge on nearly the field": of("Zzfiel", "Zzpain", "upsert_records") {
                ["mergeOn": [$0], "records": [.object(["Name": "M", $0.stringValue ?? "": "x"])]]
            },
            "merge with the record": inTable(
                "upsert_records",
                ["mergeOn": ["Name"], "records": [["Name": "Zzrecord", "State": "Gas"]], "dryRun": true]
            ),
            "delete a record": inTable("delete_records", ["recordIds": [blank]]),
            "delete the record": ofRecord("delete_records") { ["recordIds": [$0]] },
            "comment": inTable("create_comment", ["recordId": helium, "text": .string(salt)]),
            "comment on the record": ofRecord("create_comment") {
                ["recordId": $0, "text": .string(salt), "dryRun": true]
            },
            "attach a file": inTable(
                "upload_attachment",
                ["recordId": blank, "field": "Files", "content": "YWJj", "filename": "a.txt"]
            ),
            "import rows": inTable(
                "import_data",
                ["format": "json", "content": .string(#"[{"Name":"Imported \#(salt)"}]"#)]
            ),
            "import the field": ofField("import_data") {
                [
                    "format": "json", "content": .string(#"[{"Name":"I","\#($0.stringValue ?? "")":"x"}]"#),
                    "dryRun": true,
                ]
            },
        ]
    }

    private var designs: [String: PolicyAct] {
        let salt = salt
        func taken(_ transaction: Int64) -> PolicyAct {
            tool("revert", "\(transaction)", "99999999") { ["transaction": .number(JSONNumber(Int($0) ?? 0))] }
        }
        return [
            "make a base": tool("create_base", "", "") { _ in
                [
                    "name": .string("Base \(salt)"),
                    "tables": [["name": "T", "fields": [["name": "N", "type": "number"]]]],
                ]
            },
            "make a table": inBase(
                "create_table",
                ["name": .string("T \(salt)"), "fields": [["name": "Name", "type": "singleLineText"]]]
            ),
            "make a field": inTable("create_field", ["name": .string("F \(salt)"), "type": "number"]),
            "make a formula of the field": ofField("create_field") {
                [
                    "name": .string("G \(salt)"), "type": "formula",
                    "options": ["formula": .string("{\($0.stringValue ?? "")}")], "dryRun": true,
                ]
            },
            "rename the field": ofField("update_field") { ["field": $0, "name": "Other"] },
            "rename the table": tool("update_table", "Zztable", "Zzgable") {
                ["base": "Periodic table", "table": .string($0), "name": "Other"]
            },
            "take back what is shown": taken(world.transactions.shown),
            "take back the field's": taken(world.transactions.field),
            "take back the record's": taken(world.transactions.record),
        ]
    }

    // MARK: Resources, prompts and completion

    var offers: [String: PolicyAct] { resources.merging(prompts) { $1 }.merging(completions) { $1 } }

    private var resources: [String: PolicyAct] {
        let (baseID, elements) = (baseID, elements)
        func read(_ named: String, _ twin: String, _ address: @escaping @Sendable (String) -> String) -> PolicyAct {
            PolicyAct("resources/read", named, twin) { ["uri": .string("airtable://\(address($0))")] }
        }
        let missing = "AAAAAAAAAAAAAA"
        return [
            "list resources": PolicyAct("resources/list", "", "") { _ in [:] },
            "read the schema of a base": read(baseID, "app\(missing)") { "\($0)/schema" },
            "read the base's": read(world.vault.id.description, "app\(missing)") { "\($0)/schema" },
            "read the schema of a table": read(baseID, "app\(missing)") { "\($0)/\(elements)/schema" },
            "read the table's": read("Zztable", "Zzgable") { "\(baseID)/\($0)/schema" },
            "read a record": read(baseID, "app\(missing)") { [helium] in
                "\($0)/\(elements)/\(helium.stringValue ?? "")"
            },
            "read the record": read(world.record.description, "rec\(missing)") { "\(baseID)/\(elements)/\($0)" },
            "read a view": read(baseID, "app\(missing)") { "\($0)/\(elements)/views/Grid%20view" },
            "read the view": read("Zzfview", "Zzpview") { "\(baseID)/\(elements)/views/\($0)" },
        ]
    }

    private var prompts: [String: PolicyAct] {
        func prompt(
            _ name: String,
            _ named: String,
            _ twin: String,
            _ arguments: @escaping @Sendable (JSONValue) -> JSONObject
        ) -> PolicyAct {
            PolicyAct("prompts/get", named, twin) {
                ["name": .string(name), "arguments": .object(arguments(.string($0)))]
            }
        }
        return [
            "explore a base": prompt("explore_base", Self.base, "Periodic gable") { ["base": $0] },
            "explore the base": prompt("explore_base", "Zzbase", "Zzvase") { ["base": $0] },
            "explore nearly the base": prompt("explore_base", "Zzbas", "Zzvas") { ["base": $0] },
            "clean up a table": prompt("clean_up_table", Self.base, "Periodic gable") {
                ["base": $0, "table": "Elements"]
            },
            "clean up the table": prompt("clean_up_table", "Zztable", "Zzgable") {
                ["base": "Periodic table", "table": $0]
            },
            "clean up by the field": prompt("clean_up_table", "Zzfield", "Zzpaint") {
                ["base": "Periodic table", "table": "Elements", "focus": $0]
            },
            "draft a formula": prompt("draft_formula", Self.base, "Periodic gable") {
                ["base": $0, "table": "Elements", "goal": "something"]
            },
        ]
    }

    private var completions: [String: PolicyAct] {
        let (baseID, elements) = (baseID, elements)
        func complete(_ reference: JSONValue, _ argument: String, _ value: String, _ others: JSONObject = [:])
            -> PolicyAct
        {
            PolicyAct("completion/complete", "", "") { _ in
                [
                    "ref": reference, "argument": ["name": .string(argument), "value": .string(value)],
                    "context": ["arguments": .object(others)],
                ]
            }
        }
        func template(_ rest: String) -> JSONValue {
            ["type": "ref/resource", "uri": .string("airtable://{baseId}/\(rest)")]
        }
        func prompt(_ name: String) -> JSONValue { ["type": "ref/prompt", "name": .string(name)] }
        let place: JSONObject = ["baseId": .string(baseID), "table": .string(elements)]
        let names: JSONObject = ["base": .string(Self.base), "table": "Elements"]
        return [
            "complete bases": complete(template("schema"), "baseId", "zz"),
            "complete tables": complete(template("{table}/schema"), "table", "zz"),
            "complete tables of a base": complete(
                template("{table}/schema"),
                "table",
                "z",
                ["baseId": .string(baseID)]
            ),
            "complete views": complete(template("{table}/views/{view}"), "view", "zz", place),
            "complete records": complete(template("{table}/{recordId}"), "recordId", "zz", place),
            "complete a prompt's base": complete(prompt("explore_base"), "base", "zz"),
            "complete a prompt's table": complete(prompt("clean_up_table"), "table", "zz", names),
            "complete a prompt's field": complete(prompt("clean_up_table"), "focus", "zz", names),
        ]
    }
}
