import Formula

/// Writes a parsed formula as text again, every operator in parentheses.
///
/// Tests print what they parsed and parse it once more: what comes out must be the same formula.
enum FormulaPrinter {
    /// - Parameter space: stands wherever the language lets white space be; calls are then also in small letters.
    static func text(of syntax: FormulaSyntax, schema: FormulaSchema, space: String = "") -> String {
        var stack: [String] = []
        for node in syntax.nodes {
            switch node.kind {
            case .number(let number): stack.append(literal(number))
            case .text(let text): stack.append(literal(text))
            case .field(let slot): stack.append("{\(schema.fields[slot].name.replacing("}", with: "\\}"))}")
            case .negate: stack.append("(\(space)-\(space)\(stack.removeLast())\(space))")
            case .plus: stack.append("(\(space)+\(space)\(stack.removeLast())\(space))")
            case .arithmetic(let sign): join(sign.rawValue, space, &stack)
            case .concatenate: join("&", space, &stack)
            case .compare(let sign): join(sign.rawValue, space, &stack)
            case .call(let name, let count):
                let arguments = stack.suffix(count).joined(separator: "\(space),\(space)")
                stack.removeLast(count)
                stack.append("\(space.isEmpty ? name : name.lowercased())\(space)(\(space)\(arguments)\(space))")
            }
        }
        return stack.joined()
    }

    static func literal(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// Numbers of a formula are never negative; one too large for a Double is infinite.
    static func literal(_ number: Double) -> String { number.isFinite ? "\(number)" : "1e999" }

    private static func join(_ sign: String, _ space: String, _ stack: inout [String]) {
        let right = stack.removeLast()
        stack.append("(\(space)\(stack.removeLast())\(space)\(sign)\(space)\(right)\(space))")
    }
}
