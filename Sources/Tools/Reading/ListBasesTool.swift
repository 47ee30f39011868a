import Airtable
import Domain

struct ListBasesTool: ReadingTool {
    let airtable: AirtableService

    let name = "list_bases"
    let title = "List bases"
    let description = """
        Lists the bases you may see, with their ids. Start here when you don't know where something is kept; \
        search_records needs no base.
        """
    let permission = Permission.basesRead
    let toolset = Toolset.schema
    let isQuick = true

    struct Arguments: WireType {
        static var schema: JSONSchema { .object(properties: [:]) }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var name: String
            var createdTime: String

            static var schema: JSONSchema {
                .object(
                    properties: ["id": .string(), "name": .string(), "createdTime": .string()],
                    required: ["id", "name", "createdTime"]
                )
            }
        }

        var bases: [Entry]

        static var schema: JSONSchema {
            .object(properties: ["bases": .array(of: Entry.schema)], required: ["bases"])
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let bases = try await reads.bases(context: context)
        return Answer(
            bases: bases.map {
                Answer.Entry(
                    id: $0.id.description,
                    name: $0.name,
                    createdTime: CellCodec.timestamp($0.createdTime)
                )
            }
        )
    }

    func text(of answer: Answer) -> String {
        answer.bases.map { "\($0.name) (\($0.id))" }.joined(separator: "\n")
    }

    func advice(of answer: Answer) -> String? { answer.bases.isEmpty ? "There are no bases." : nil }
}
