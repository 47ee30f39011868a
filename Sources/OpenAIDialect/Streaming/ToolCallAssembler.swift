import Domain

/// Puts tool calls together from the fragments of a stream.
///
/// By the dialect, fragments with one `index` are one call, of which the first has `id` and name and each a piece of
/// the arguments. Servers also send whole calls that all have index 0, calls without an index, the id and the name
/// with each fragment, and arguments that are objects.
struct ToolCallAssembler {
    private struct Partial {
        var index: Int?
        var call: OpenAIToolCall
    }

    private var partials: [Partial] = []

    var calls: [OpenAIToolCall] { partials.map(\.call) }

    mutating func take(_ fragment: JSONValue) {
        guard case .object(let members) = fragment else { return }
        let id = members["id"]?.stringValue ?? ""
        let name = members["function"]?["name"]?.stringValue ?? ""
        let position = position(index: members["index"]?.intValue, id: id, name: name)
        if partials[position].call.id.isEmpty { partials[position].call.id = id }
        if partials[position].call.name.isEmpty { partials[position].call.name = name }
        switch members["function"]?["arguments"] {
        case .string(let piece)?: partials[position].call.arguments += piece
        case .object(let object)?: partials[position].call.arguments += JSONValue.object(object).text
        default: break
        }
    }

    /// The call that a fragment belongs to, begun if need be.
    private mutating func position(index: Int?, id: String, name: String) -> Int {
        let candidate = index.map { index in partials.lastIndex { $0.index == index } } ?? partials.indices.last
        if let candidate, !begins(id: id, name: name, after: partials[candidate].call, hasIndex: index != nil) {
            return candidate
        }
        partials.append(Partial(index: index, call: OpenAIToolCall(id: "", name: "", arguments: "")))
        return partials.count - 1
    }

    /// Whether a fragment is a call of its own although its index, or its lack of one, points at `call`.
    private func begins(id: String, name: String, after call: OpenAIToolCall, hasIndex: Bool) -> Bool {
        guard !name.isEmpty, !call.name.isEmpty else { return false }
        if !id.isEmpty, id != call.id { return true }
        // The same id, or none, and a name once more: a repetition, unless the call before is complete.
        return isComplete(call.arguments) && (!hasIndex || id.isEmpty || name != call.name)
    }

    private func isComplete(_ arguments: String) -> Bool {
        // An empty text may still get its arguments.
        guard arguments.hasSuffix("}") else { return false }
        return (try? JSONValue(parsing: arguments)) != nil
    }
}
