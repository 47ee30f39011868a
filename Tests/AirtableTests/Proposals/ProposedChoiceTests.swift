import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Proposed changes that bring choices")
struct ProposedChoiceTests {
    @Test("choices that several fields get on the way come in the order of fields, so that the hash stays")
    func choices() async throws {
        try await withStore(.sqlite) { store in
            let names = (0..<8).map { "Select \($0)" }
            let selects = names.map { FieldDraft(name: $0, type: .singleSelect, choices: []) }
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)] + selects)
            let cells = JSONObject(names.reversed().map { (key: $0, value: "fresh" as JSONValue) })
            let operation = ProposedOperation.create([RecordDraft(fields: cells)], in: table.id, typecast: true)
            let proposal = try await store.service.propose(operation, context: store.context)
            for _ in 0..<5 {
                let again = try await store.service.propose(operation, context: store.context)
                #expect(again.hash == proposal.hash)
            }
            let applied = try await store.service.apply(proposal, context: store.context)
            let changed = applied.schema.compactMap { change -> String? in
                guard case .fieldUpdated(_, let field)? = change.change else { return nil }
                return field.name
            }
            #expect(changed == names)
        }
    }
}
