package import Airtable
public import Domain

/// Prompts about bases and tables, each with the schema it speaks of.
///
/// The schema stands in a message of its own, as a resource, read with the caller's rights; what the person fills in stands
/// in the text. Offered to whoever may read what they speak of.
public struct AirtablePrompts: PromptProvider {
    private let reader: ResourceReader
    private let orders: ShownOrders?

    /// For who writes nothing.
    package init(airtable: AirtableService) { self.init(airtable: airtable, orders: nil) }

    /// - Parameter orders: told of what is shown.
    init(airtable: AirtableService, orders: ShownOrders?) {
        reader = ResourceReader(airtable: airtable)
        self.orders = orders
    }

    public func prompts(context: RequestContext) async throws -> [PromptDefinition] {
        Self.all.filter { $0.isOffered(to: context) }.map(\.definition)
    }

    public func messages(
        of prompt: String,
        arguments: [String: String],
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [PromptMessage] {
        let prompt = try Self.prompt(prompt, context)
        let values = try prompt.values(arguments)
        let place = try await place(values, context)
        let address: ResourceAddress = place.table.map { .table($0) } ?? .base(place.base.id)
        let content = try await reader.content(of: address, context: context)
        orders?.look(at: content.json, for: context)
        let names = PromptText.Names(
            base: PromptText.quoted(place.base.name),
            table: place.table.map { PromptText.quoted($0.name) } ?? "",
            canWrite: context.principal.permissions.contains(.recordsWrite)
        )
        return [
            PromptMessage(.user, .resource(ResourceContents(of: content, uri: address.uri))),
            PromptMessage(.user, .text(prompt.text(names, values))),
        ]
    }

    public func complete(
        _ question: CompletionQuestion,
        prompt: String,
        context: RequestContext
    ) async throws -> Completion {
        let prompt = try Self.prompt(prompt, context)
        let places = PlaceCompletion(airtable: reader.airtable, permission: .schemaRead)
        let others = question.others
        guard prompt.definition.arguments.contains(where: { $0.name == question.argument }) else {
            return PlaceCompletion.nothing
        }
        let completion =
            switch question.argument {
            case "base": try await places.bases(question.value, by: .name, context)
            case "table": try await places.tables(question.value, in: others["base"], context)
            case "focus": try await places.fields(question.value, of: others["table"], in: others["base"], context)
            default: PlaceCompletion.nothing
            }
        orders?.look(at: completion.shown, for: context)
        return completion
    }

    // MARK: Private

    private static let all: [PromptText] = [.exploreBase, .cleanUpTable, .draftFormula]

    /// A prompt that this caller is not offered does not exist for them.
    private static func prompt(_ name: String, _ context: RequestContext) throws -> PromptText {
        guard let prompt = all.first(where: { $0.definition.name == name }), prompt.isOffered(to: context) else {
            throw PromptError.unknownPrompt(name)
        }
        return prompt
    }

    private func place(
        _ values: [String: String],
        _ context: RequestContext
    ) async throws -> (base: Base, table: Table?) {
        let reads = reader.airtable.reads(by: .schemaRead)
        do {
            let base = try await reads.base(values["base"] ?? "", context: context)
            guard let table = values["table"] else { return (base, nil) }
            return (base, try await reads.table(table, in: base.id, context: context))
        } catch let error as AirtableError where error.isAboutAddress {
            throw PromptError.invalidArgument(error.description)
        }
    }
}
