import Airtable
import Domain

@testable import Gateway

/// A hidden thing in a body or a query, beside one of its kind that is not there.
struct HiddenReference: Sendable {
    let route: String
    let hidden: String
    let missing: String
    let calls: [@Sendable (String) -> HiddenCalls.Call]

    /// - Parameter asking: what to ask with, for one or the other: bodies, or queries.
    init(_ route: String, _ hidden: String, _ missing: String, _ asking: @escaping @Sendable (String) -> [String]) {
        (self.route, self.hidden, self.missing) = (route, hidden, missing)
        calls = asking("").indices.map { number in
            { value in
                let text = asking(value)[number]
                return text.hasPrefix("?") ? HiddenCalls.Call(query: text) : HiddenCalls.Call(body: text)
            }
        }
    }
}

extension HiddenWorld {
    var nested: [HiddenReference] { nestedRecords + nestedFields + nestedPlaces }

    private var nestedRecords: [HiddenReference] {
        let shown = fixture.records[0].id.description
        let records = [secrets.record.description, secrets.refused.description]
        return records.flatMap { hidden -> [HiddenReference] in
            let missing = RecordID.random().description
            func reference(_ route: String, _ bodies: @escaping @Sendable (String) -> [String]) -> HiddenReference {
                HiddenReference(route, hidden, missing, bodies)
            }
            let writes = ["updateRecords", "airtableUpdateRecords", "airtableReplaceRecords"].map { route in
                reference(route) {
                    [
                        #"{"records": [{"id": "\#($0)", "fields": {"State": "Gas"}}]}"#,
                        """
                        {"records": [{"id": "\(shown)", "fields": {"State": "Gas"}},
                        {"id": "\($0)", "fields": {"State": "Gas"}}]}
                        """,
                    ]
                }
            }
            let deletes = ["deleteRecords", "airtableDeleteRecords"].map { route in
                HiddenReference(route, hidden, missing) { ["?records[]=\($0)", "?records[]=\(shown)&records[]=\($0)"] }
            }
            return writes + deletes + [
                reference("findSimilar") { [#"{"recordId": "\#($0)"}"#] },
                HiddenReference("explainPermission", hidden, missing) {
                    [place("records:read") + "&record=\($0)", place("records:write") + "&record=\($0)"]
                },
                reference("checkPermissions") {
                    [check("records:write", #""table": "\#(fixture.elements.id)", "record": "\#($0)""#)]
                },
            ]
        } + linked
    }

    /// A row of the hidden table where links are written.
    private var linked: [HiddenReference] {
        ["createRecords", "airtableCreateRecords"].map { route in
            HiddenReference(route, secrets.row.description, RecordID.random().description) {
                [
                    #"{"fields": {"Isotopes": ["\#($0)"]}}"#, #"{"fields": {"Zzhush link": ["\#($0)"]}}"#,
                    #"{"fields": {"Isotopes": ["\#($0)"]}, "typecast": true}"#,
                ]
            }
        }
    }

    private var nestedFields: [HiddenReference] {
        let pairs = [
            (secrets.field.id.description, FieldID.random().description), ("Zzhush field", "Zzrush field"),
            ("Zzhush formula", "Zzrush formula"), ("Zzhush link", "Zzrush link"),
        ]
        return pairs.flatMap { hidden, missing -> [HiddenReference] in
            let queries: @Sendable (String) -> [String] = { name in
                let name = name.replacing(" ", with: "%20")
                return [
                    "?fields[]=\(name)", "?sort[0][field]=\(name)", "?filterByFormula=%7B\(name)%7D%3D1",
                ]
            }
            let listings = ["listRecords", "airtableListRecords", "exportTable"].map {
                HiddenReference($0, hidden, missing, queries)
            }
            let writes = ["createRecords", "airtableCreateRecords", "updateRecord", "airtableUpdateRecord"].map {
                HiddenReference($0, hidden, missing) { [#"{"fields": {"\#($0)": "x"}}"#] }
            }
            let fields = ["createField", "airtableCreateField"].map { route in
                HiddenReference(route, hidden, missing) { name in
                    [
                        #"{"name": "F", "type": "formula", "options": {"formula": "{\#(name)}"}}"#,
                        #"{"name": "C", "type": "count", "options": {"recordLinkFieldId": "\#(name)"}}"#,
                    ]
                }
            }
            return listings + writes + fields + [
                HiddenReference("search", hidden, missing) {
                    [
                        #"{"query": "gas", "fields": ["\#($0)"]}"#,
                        #"{"query": "gas", "tables": ["Elements"], "filter": "{\#($0)}=1"}"#,
                    ]
                },
                HiddenReference("updateRecords", hidden, missing) {
                    [#"{"performUpsert": {"fieldsToMergeOn": ["\#($0)"]}, "records": [{"fields": {"Name": "X"}}]}"#]
                },
                HiddenReference("createView", hidden, missing) {
                    [#"{"name": "V", "filterByFormula": "{\#($0)}=1"}"#]
                },
            ]
                + (FieldID(hidden) == nil
                    ? []
                    : [
                        HiddenReference("explainPermission", hidden, missing) {
                            [place("records:read") + "&field=\($0)"]
                        },
                        HiddenReference("checkPermissions", hidden, missing) {
                            [check("records:read", #""table": "\#(fixture.elements.id)", "field": "\#($0)""#)]
                        },
                    ])
        }
    }

    /// Tables, bases and views.
    private var nestedPlaces: [HiddenReference] {
        let tables = [
            (secrets.table.id.description, TableID.random().description), ("Zzhush table", "Zzrush table"),
        ].flatMap { hidden, missing -> [HiddenReference] in
            [
                HiddenReference("search", hidden, missing) { [#"{"query": "gas", "tables": ["\#($0)"]}"#] },
                HiddenReference("startEmbeddingJob", hidden, missing) {
                    [#"{"tables": ["\#($0)"]}"#]
                },
                HiddenReference("findSimilar", hidden, missing) {
                    [#"{"recordId": "\#(fixture.records[0].id)", "tables": ["\#($0)"]}"#]
                },
                HiddenReference("createField", hidden, missing) {
                    [#"{"name": "L", "type": "multipleRecordLinks", "options": {"linkedTableId": "\#($0)"}}"#]
                },
            ]
        }
        let bases = [
            (secrets.base.id.description, BaseID.random().description), ("Zzhush base", "Zzrush base"),
        ].flatMap { hidden, missing -> [HiddenReference] in
            [
                HiddenReference("search", hidden, missing) { [#"{"query": "gas", "bases": ["\#($0)"]}"#] },
                HiddenReference("startEmbeddingJob", hidden, missing) { [#"{"base": "\#($0)"}"#] },
            ]
        }
        let views = ["listRecords", "airtableListRecords", "exportTable"].flatMap { route in
            [secrets.view.description, secrets.refusedView.description].map {
                HiddenReference(route, $0, ViewID.random().description) { ["?view=\($0)"] }
            } + [HiddenReference(route, "Zzhush view", "Zzrush view") { ["?view=\($0.replacing(" ", with: "%20"))"] }]
        }
        let questions = [
            HiddenReference("explainPermission", secrets.table.id.description, TableID.random().description) {
                ["?permission=records:read&base=\(fixture.base.id)&table=\($0)"]
            },
            HiddenReference("explainPermission", secrets.base.id.description, BaseID.random().description) {
                ["?permission=bases:read&base=\($0)"]
            },
            HiddenReference("explainPermission", secrets.refusedView.description, ViewID.random().description) {
                [place("schema:read") + "&view=\($0)"]
            },
            HiddenReference("checkPermissions", secrets.table.id.description, TableID.random().description) {
                [check("schema:write", #""table": "\#($0)""#)]
            },
            HiddenReference("airtableCreateWebhook", secrets.table.id.description, TableID.random().description) {
                [
                    """
                    {"specification": {"options": {"filters":
                    {"dataTypes": ["tableData"], "recordChangeScope": "\($0)"}}}}
                    """
                ]
            },
        ]
        return tables + bases + views + questions
    }

    private func place(_ permission: String) -> String {
        "?permission=\(permission)&base=\(fixture.base.id)&table=\(fixture.elements.id)"
    }

    private func check(_ permission: String, _ place: String) -> String {
        #"{"questions": [{"permission": "\#(permission)", "resource": {"base": "\#(fixture.base.id)", \#(place)}}]}"#
    }
}
