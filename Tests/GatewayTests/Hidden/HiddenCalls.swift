import Domain
import HTTPTypes
import TestSupport
import Testing

@testable import Gateway

/// How every route is asked for what is hidden. A route that is in neither list fails the tests.
struct HiddenCalls: Sendable {
    struct Call: Sendable {
        var query = ""
        /// Nil for the route's example.
        var body: String?
        var headers: HTTPFields = [:]
        /// Words of the question, which an answer may say again.
        var given: [String] = []
    }

    let secrets: HiddenSecrets
    let values: [PathParameter: String]

    /// Asked with their examples, and with what `more` adds.
    static let asked = Set(
        """
        getMe search findSimilar searchStatus listBases getBase listTables getTable listHostedBases listRecords getRecord
        createBase updateBase deleteBase createTable updateTable deleteTable createField updateField deleteField
        deleteChoice createView updateView deleteView listViews getView createRecords updateRecords updateRecord
        deleteRecords deleteRecord getBaseHistory getTableHistory getRecordHistory getTransaction undoTransaction
        exportTable exportBase importBase importTable importRecords listConversations createConversation
        getConversation updateConversation deleteConversation listMessages sendMessage getRun followRun cancelRun
        createSocketTicket listTools callTool startEmbeddingJob listEmbeddingJobs getEmbeddingJob cancelEmbeddingJob embedTexts
        listApiKeys getApiKey updateApiKey createApiKey rotateApiKey deleteApiKey listUsers getUser updateUser deleteUser
        listWorkspaces createWorkspace getWorkspace updateWorkspace deleteWorkspace listWorkspaceBases moveBase
        getTenant updateTenant listManagedTenants createTenant updateManagedTenant eraseTenant listGrants createGrant
        getGrant deleteGrant listRoles createRole getRole updateRole deleteRole listGroups createGroup getGroup
        renameGroup deleteGroup addGroupMember removeGroupMember checkPermissions explainPermission
        listPermittedObjects createChatCompletion createEmbeddings listModels airtableListRecords
        airtableListRecordsByBody airtableGetRecord airtableCreateRecords airtableUpdateRecords
        airtableReplaceRecords airtableUpdateRecord airtableReplaceRecord airtableDeleteRecords airtableDeleteRecord
        airtableListComments airtableCreateComment airtableUpdateComment airtableDeleteComment airtableWhoami
        airtableListBases airtableGetBase airtableGetWorkspace airtableListTables airtableCreateBase
        airtableUpdateBase airtableDeleteBase airtableCreateTable airtableUpdateTable airtableDeleteTable
        airtableCreateField airtableUpdateField airtableDeleteField airtableDeleteChoice airtableCreateView
        airtableUpdateView airtableDeleteView airtableListViews airtableGetView airtableUploadAttachment
        uploadAttachment airtableListWebhooks airtableCreateWebhook airtableDeleteWebhook airtableListWebhookPayloads
        airtableEnableWebhookNotifications airtableRefreshWebhook listAuditEntries exportAuditLog
        listInvites createInvite revokeInvite listWorkspaceMembers setWorkspaceMember removeWorkspaceMember
        """.split(whereSeparator: \.isWhitespace).map(String.init)
    )

    /// Not asked, each for a reason.
    static let unasked: [String: String] = {
        var reasons: [String: String] = [
            "chatSocket": "a socket: HiddenChatTests", "mcpSend": "a session: HiddenChatTests",
            "mcpListen": "tells nothing by itself", "mcpEnd": "tells nothing",
            "readAttachment": "whoever has the signed link has read the cell", "tokenKeys": "public keys",
            "apiDocument": "the same for everybody", "health": "of the server", "ready": "of the server",
            "resourceMetadata": "of the server", "mcpMetadata": "of the server",
        ]
        let own = """
            register login verifyEmail forgotPassword resetPassword refreshTokens logOut logOutEverywhere listSessions
            endSession issueToken updateMe changePassword changeEmail exportMe listTenants enterTenant acceptInvite acceptInviteSignedIn
            """
        for name in own.split(whereSeparator: \.isWhitespace) {
            reasons[String(name)] = "one's own account"
        }
        let files = """
            page pageStyle chatStyle pageScript chatScript answerScript markupScript apiScript documentPage
            documentStyle documentScript pageIcon
            """
        for name in files.split(whereSeparator: \.isWhitespace) {
            reasons[String(name)] = "a file, the same for everybody"
        }
        return reasons
    }()

    func calls(of route: Route) -> [Call] {
        [Call(given: Self.examples[route.name] ?? [])] + more(route.name) + (route.method == .get ? queries(route) : [])
    }

    /// Words of examples that stand for themselves.
    private static let examples: [String: [String]] = [:]

    private func queries(_ route: Route) -> [Call] {
        let name = route.name
        var queries: [String] = []
        if name.lowercased().contains("listrecords") || name == "exportTable" {
            queries += [
                "?filterByFormula=%7BZzhus%20field%7D%3D1", "?sort[0][field]=Zzhus%20field", "?fields[]=Zzhus%20field",
                "?view=Zzhus%20view", "?view=Plain", "?returnFieldsByFieldId=true",
                "?cellFormat=string&timeZone=utc&userLocale=en", "?filterByFormula=%7BZzhus%20lookup%7D%3D1",
            ]
        }
        if name.lowercased().contains("listrecords") {
            queries += ["?recordMetadata[]=commentCount", "?pageSize=1"]
        }
        if name.hasPrefix("airtable"), route.pattern.description.contains("meta"), !route.query.isEmpty {
            queries += ["?include[]=visibleFieldIds", "?include[]=commentCount", "?include[]=collaborators"]
        }
        if name.hasSuffix("istory") { queries += ["?limit=1", "?limit=100"] }
        if ["explainPermission", "listPermittedObjects"].contains(name) {
            let base = values[.baseId] ?? ""
            for permission in Permission.allCases {
                queries.append("?permission=\(permission.rawValue)")
                if name == "listPermittedObjects" { continue }
                let table = "&base=\(base)&table=\(values[.tableId] ?? "")"
                queries += ["&base=\(base)", table, table + "&record=\(values[.recordId] ?? "")"].map {
                    "?permission=\(permission.rawValue)\($0)"
                }
            }
        }
        return queries.map { Call(query: $0, given: ["zzhus%20field", "zzhus field", "zzhus view", "zzhus lookup"]) }
    }

    private func more(_ name: String) -> [Call] {
        switch name {
        case "search": searches
        case "findSimilar":
            [
                Call(body: #"{"recordId": "\#(values[.recordId] ?? "")", "limit": 50}"#),
                Call(body: #"{"recordId": "\#(values[.recordId] ?? "")", "tables": ["Zzhus table"]}"#),
            ]
        case "createRecords", "airtableCreateRecords":
            [
                #"{"fields": {"Name": "Argon", "State": "Gas"}}"#, #"{"fields": {"Zzhus field": "x"}}"#,
                #"{"fields": {"Isotopes": ["zzhus row"]}, "typecast": true}"#,
                #"{"fields": {"Isotopes": ["\#(secrets.row)"]}}"#, #"{"fields": {"Zzhus formula": "x"}}"#,
            ].map { Call(body: $0, given: [$0]) }
        case "updateRecords", "airtableUpdateRecords", "airtableReplaceRecords":
            [
                #"{"records": [{"id": "\#(values[.recordId] ?? "")", "fields": {"State": "Solid"}}]}"#,
                #"{"performUpsert": {"fieldsToMergeOn": ["Name"]}, "records": [{"fields": {"Name": "Xenon"}}]}"#,
                #"{"performUpsert": {"fieldsToMergeOn": ["Zzhus field"]}, "records": [{"fields": {"Name": "X"}}]}"#,
                #"{"records": [{"id": "\#(values[.recordId] ?? "")", "fields": {"Zzhus link": []}}]}"#,
            ].map { Call(body: $0, given: [$0]) }
        case "updateRecord", "airtableUpdateRecord", "airtableReplaceRecord":
            [
                #"{"fields": {"Name": "Helium", "State": "Gas", "Notes": "Light."}}"#,
                #"{"fields": {"Zzhus field": "x"}}"#,
            ].map { Call(body: $0, given: [$0]) }
        case "createField", "airtableCreateField":
            [
                #"{"name": "F", "type": "formula", "options": {"formula": "{Zzhus field}"}}"#,
                #"{"name": "L", "type": "multipleRecordLinks", "options": {"linkedTableId": "\#(secrets.table.id)"}}"#,
                #"{"name": "C", "type": "count", "options": {"recordLinkFieldId": "\#(secrets.field.id)"}}"#,
            ].map { Call(body: $0, given: [$0]) }
        case "createView", "airtableCreateView":
            [Call(body: #"{"name": "V", "filterByFormula": "{Zzhus field}=1"}"#, given: ["{zzhus field}=1"])]
        default: later(name)
        }
    }

    private func later(_ name: String) -> [Call] {
        switch name {
        case "importRecords": [Call(body: "Name,Zzhus field\nArgon,x\n", given: ["zzhus field"])]
        case "sendMessage":
            [
                Call(body: #"{"content": "Which gas is in lamps?"}"#, headers: [.accept: "text/event-stream"]),
                Call(body: #"{"content": "Which gas is in lamps?", "settings": {"model": "extractive"}}"#),
            ]
        case "createChatCompletion":
            [
                #"{"model": "extractive", "messages": [{"role": "user", "content": "Which gas is in lamps?"}]}"#,
                #"{"model": "extractive", "messages": [{"role": "user", "content": "What is helium?"}], "stream": true}"#,
            ].map { Call(body: $0, given: []) }
        case "airtableListRecordsByBody":
            [
                #"{"filterByFormula": "{Zzhus field}=1"}"#, #"{"sort": [{"field": "Zzhus field"}]}"#, "{}",
                #"{"fields": ["Zzhus field"]}"#, #"{"view": "Zzhus view"}"#, #"{"recordMetadata": ["commentCount"]}"#,
            ].map { Call(body: $0, given: [$0, "zzhus field", "zzhus view"]) }
        case "checkPermissions":
            Permission.allCases.map { permission in
                let (base, table) = (values[.baseId] ?? "", values[.tableId] ?? "")
                let place = #"{"base": "\#(base)", "table": "\#(table)"}"#
                return Call(
                    body: """
                        {"questions": [{"permission": "\(permission.rawValue)", "resource": {}},
                        {"permission": "\(permission.rawValue)", "resource": \(place)}]}
                        """
                )
            }
        case "callTool":
            // As the tool that the example names; all tools are asked by HiddenChatTests.
            [
                #"{"base": "Periodic table", "table": "Elements"}"#,
                #"{"base": "Periodic table", "table": "Zzhus table"}"#,
                #"{"base": "Periodic table", "table": "Elements", "fields": ["Zzhus field"]}"#,
                #"{"base": "Periodic table", "table": "Elements", "formula": "{Zzhus field}='x'"}"#,
            ].map { Call(body: $0, given: [$0, "zzhus table", "zzhus field"]) }
        case "startEmbeddingJob":
            [
                Call(body: #"{"tables": ["Zzhus table"]}"#, given: ["zzhus table"]),
                Call(body: #"{"tables": ["Isotopes"]}"#),
                Call(body: #"{"base": "Zzhus base"}"#, given: ["zzhus base"]), Call(body: "{}"),
            ]
        default: []
        }
    }

    private var searches: [Call] {
        var bodies: [String] = []
        for mode in ["hybrid", "lexical", "semantic"] {
            for query in ["helium, a gas in lamps", "zzhus krypton", "zzhush row"] {
                bodies.append(#"{"query": "\#(query)", "mode": "\#(mode)", "explain": true, "limit": 50}"#)
            }
        }
        bodies += [
            #"{"query": "gas", "filter": "{Zzhus field}='x'", "tables": ["Elements"]}"#,
            #"{"query": "gas", "filter": "{State}='Gas'", "tables": ["Elements"], "limit": 50}"#,
            #"{"query": "gas", "tables": ["Zzhus table"]}"#, #"{"query": "gas", "bases": ["Zzhus base"]}"#,
            #"{"query": "gas", "fields": ["Zzhus field"]}"#,
        ]
        let given = ["zzhus krypton", "zzhush row", #""zzhush""#, "zzhus field", "zzhus table", "zzhus base"]
        return bodies.map { Call(body: $0, given: given) }
    }
}
