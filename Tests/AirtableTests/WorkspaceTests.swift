import Access
import Airtable
import Domain
import TestSupport
import Testing

@Suite("Workspaces of bases")
struct WorkspaceTests {
    @Test("a base moves with all that is in it, and every process knows", arguments: DatabaseKind.allCases)
    func moving(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let records = try await store.create(table, ["Name": "a"])
            let second = try await store.access.createWorkspace(name: "Second", context: context)
            let other = store.otherProcess()
            #expect(try await other.bases(context: context).map(\.workspace) != [second.id])
            let moved = try await service.moveBase(table.base, to: second.id, context: context)
            #expect(moved.workspace == second.id)
            #expect(try await other.bases(context: context).map(\.workspace) == [second.id])
            #expect(try await store.fields(records[0].id, table) == ["Name": "a"])
            // Once more changes nothing.
            #expect(try await service.moveBase(table.base, to: second.id, context: context) == moved)
            try await store.expectSound()
            await expectFailure(.modelNotFound) {
                try await service.moveBase(table.base, to: .random(), context: context)
            }
            await expectFailure(.modelNotFound) {
                try await service.moveBase(.random(), to: second.id, context: context)
            }
        }
    }

    @Test("a workspace is deleted when it is empty, or its bases go elsewhere", arguments: DatabaseKind.allCases)
    func deleting(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let first = try #require(try await store.access.workspaces(context: context).first?.id)
            await expectFailure(.invalidRequest) { try await service.deleteWorkspace(first, context: context) }
            let second = try await store.access.createWorkspace(name: "Second", context: context).id
            await expectFailure(.invalidRequest) { try await service.deleteWorkspace(first, context: context) }
            await expectFailure(.invalidRequest) {
                try await service.deleteWorkspace(first, movingTo: first, context: context)
            }
            await expectFailure(.modelNotFound) {
                try await service.deleteWorkspace(first, movingTo: .random(), context: context)
            }
            try await service.deleteWorkspace(first, movingTo: second, context: context)
            #expect(try await service.bases(context: context).map(\.workspace) == [second])
            #expect(try await store.access.workspaces(context: context).map(\.id) == [second])
            await expectFailure(.modelNotFound) { try await service.deleteWorkspace(first, context: context) }
            try await service.deleteBase(table.base, context: context)
            // The last one stays, though it is empty.
            await expectFailure(.invalidRequest) { try await service.deleteWorkspace(second, context: context) }
            try await store.expectSound()
        }
    }
}
