import Domain

/// Reads a formula into postfix nodes, by operator precedence with a stack of its own (E. W. Dijkstra's shunting yard,
/// 1961): no depth of nesting reaches the stack of the thread.
struct FormulaParser {
    private enum Pending {
        case infix(FormulaSyntax.Kind, precedence: Int, offset: Int)
        case prefix(FormulaSyntax.Kind, offset: Int)
        case parenthesis(offset: Int)
        case call(name: String, arguments: Int, offset: Int)
    }

    private let schema: FormulaSchema
    private var lexer: FormulaLexer
    private var token = FormulaToken.end
    private var syntax = FormulaSyntax()
    private var pending: [Pending] = []
    /// Where each finished operand begins in `syntax.nodes`.
    private var operandStarts: [Int] = []
    /// Signs, parentheses and calls that are open.
    private var depth = 0
    private var unknownFields: [(name: String, offset: Int)] = []

    private init(_ text: String, schema: FormulaSchema) {
        self.schema = schema
        lexer = FormulaLexer(text)
    }

    static func parse(_ text: String, schema: FormulaSchema) throws(FormulaError) -> FormulaSyntax {
        guard text.utf8.count <= Limits.formulaBytes else {
            throw FormulaError(.tooLarge, "A formula has at most \(Limits.formulaBytes) bytes.", at: 0)
        }
        var parser = FormulaParser(text, schema: schema)
        return try parser.parse()
    }

    private mutating func parse() throws(FormulaError) -> FormulaSyntax {
        try advance()
        var isDone = false
        while !isDone {
            try operand()
            isDone = try afterOperand()
        }
        if !unknownFields.isEmpty { throw unknownFieldsError() }
        return syntax
    }

    private mutating func advance() throws(FormulaError) { token = try lexer.next() }

    /// Reads signs and opening parentheses up to a whole leaf.
    private mutating func operand() throws(FormulaError) {
        while true {
            let offset = lexer.tokenStart
            switch token {
            case .minus:
                try open(.prefix(.negate, offset: offset), offset)
            case .plus:
                try open(.prefix(.plus, offset: offset), offset)
            case .open:
                try open(.parenthesis(offset: offset), offset)
            case .number(let number):
                emitLeaf(.number(number), offset)
                return try advance()
            case .text(let text):
                emitLeaf(.text(text), offset)
                return try advance()
            case .field(let name):
                reference(name, offset)
                return try advance()
            case .name(let name):
                if try isWhole(name, offset) { return }
            default:
                throw expectedOperand(offset)
            }
        }
    }

    private mutating func open(_ entry: Pending, _ offset: Int) throws(FormulaError) {
        depth += 1
        guard depth <= Limits.formulaNesting else {
            throw FormulaError(
                .tooLarge,
                "A formula nests at most \(Limits.formulaNesting) parentheses, calls and signs.",
                at: lexer.position(of: offset)
            )
        }
        pending.append(entry)
        try advance()
    }

    /// Reads a name: a call's beginning, or a call without arguments or a field, which is whole.
    private mutating func isWhole(_ name: String, _ offset: Int) throws(FormulaError) -> Bool {
        let end = lexer.tokenEnd
        try advance()
        let upper = name.uppercased()
        guard token == .open else {
            if FormulaDecisions.bareCalls.contains(upper), FunctionLibrary.isKnown(upper) {
                emitLeaf(.call(upper, 0), offset)
            } else {
                reference(name, offset, end: end)
            }
            return true
        }
        guard FunctionLibrary.isKnown(upper) || schema.constants[upper] != nil else {
            throw unknownFunction(name, offset)
        }
        try open(.call(name: upper, arguments: 0, offset: offset), offset)
        guard token == .close else { return false }
        pending.removeLast()
        depth -= 1
        try checkCount(upper, 0, offset)
        emitLeaf(.call(upper, 0), offset)
        try advance()
        return true
    }

    /// Reads what may follow an operand, up to where the next begins.
    ///
    /// - Returns: whether the formula is at its end.
    private mutating func afterOperand() throws(FormulaError) -> Bool {
        while true {
            let offset = lexer.tokenStart
            if let (kind, precedence) = infix() {
                reduce(downTo: precedence)
                pending.append(.infix(kind, precedence: precedence, offset: offset))
                try advance()
                return false
            }
            guard token == .comma || token == .close || token == .end else { throw expectedOperator(offset) }
            reduce(downTo: 0)
            switch (token, pending.last) {
            case (.end, nil):
                return true
            case (.end, .parenthesis(let opened)), (.end, .call(_, _, let opened)):
                throw lexer.failure("This opening is never closed: expected \")\".", at: opened, hint: "add )")
            case (.close, .parenthesis):
                pending.removeLast()
                depth -= 1
                try advance()
            case (.close, .call(let name, let arguments, let opened)):
                pending.removeLast()
                depth -= 1
                try checkCount(name, arguments + 1, opened)
                emit(.call(name, arguments + 1), operands: arguments + 1, opened)
                try advance()
            case (.comma, .call(let name, let arguments, let opened)):
                pending[pending.count - 1] = .call(name: name, arguments: arguments + 1, offset: opened)
                try advance()
                return false
            case (.close, _):
                throw lexer.failure("Nothing is open that \")\" could close.", at: offset)
            default:
                throw lexer.failure("A comma separates arguments of a function, and none is open here.", at: offset)
            }
        }
    }

    private func infix() -> (kind: FormulaSyntax.Kind, precedence: Int)? {
        switch token {
        case .comparison(let comparison): (.compare(comparison), 1)
        case .ampersand: (.concatenate, 2)
        case .plus: (.arithmetic(.add), 3)
        case .minus: (.arithmetic(.subtract), 3)
        case .times: (.arithmetic(.multiply), 4)
        case .divide: (.arithmetic(.divide), 4)
        default: nil
        }
    }

    /// Finishes operators that bind at least as tightly.
    private mutating func reduce(downTo precedence: Int) {
        while let last = pending.last {
            switch last {
            case .prefix(let kind, let offset):
                depth -= 1
                emit(kind, operands: 1, offset)
            case .infix(let kind, let bound, let offset):
                guard bound >= precedence else { return }
                emit(kind, operands: 2, offset)
            case .parenthesis, .call:
                return
            }
            pending.removeLast()
        }
    }
}

extension FormulaParser {
    private mutating func emitLeaf(_ kind: FormulaSyntax.Kind, _ offset: Int) {
        operandStarts.append(syntax.nodes.count)
        syntax.nodes.append(FormulaSyntax.Node(kind: kind, start: syntax.nodes.count, offset: offset))
    }

    private mutating func emit(_ kind: FormulaSyntax.Kind, operands: Int, _ offset: Int) {
        let start = operandStarts[operandStarts.count - operands]
        operandStarts.removeLast(operands - 1)
        syntax.nodes.append(FormulaSyntax.Node(kind: kind, start: start, offset: offset))
    }

    private mutating func reference(_ name: String, _ offset: Int, end: Int? = nil) {
        let slot = schema.slot(of: name)
        if let slot {
            let range = offset..<(end ?? lexer.tokenEnd)
            syntax.references.append(FormulaSyntax.Reference(range: range, slot: slot))
        } else {
            unknownFields.append((name, offset))
        }
        emitLeaf(.field(slot ?? 0), offset)
    }

    private func checkCount(_ name: String, _ count: Int, _ offset: Int) throws(FormulaError) {
        let (least, most) = schema.constants[name] == nil ? FunctionLibrary.arity(of: name) : (0, 0)
        if count >= least, count <= most ?? .max { return }
        let wanted: String
        if let most, most == least {
            wanted = most == 0 ? "no argument" : most == 1 ? "1 argument" : "\(most) arguments"
        } else if let most {
            wanted = "\(least) to \(most) arguments"
        } else {
            wanted = "at least \(least) argument\(least == 1 ? "" : "s")"
        }
        throw FormulaError(
            .argumentCount,
            "\(name) takes \(wanted), not \(count).",
            at: lexer.position(of: offset)
        )
    }

    private func unknownFunction(_ name: String, _ offset: Int) -> FormulaError {
        let upper = name.uppercased()
        let hint =
            FormulaDecisions.foreignFunctions[upper].map { "use \($0)" }
            ?? Spelling.nearest(to: upper, among: FunctionLibrary.names).map { "did you mean \($0)?" }
        let shown = name.count > 60 ? String(name.prefix(60)) + "…" : name
        return FormulaError(
            .unknownFunction,
            "Unknown function \(shown).",
            at: lexer.position(of: offset),
            hint: hint
        )
    }

    private func unknownFieldsError() -> FormulaError {
        var names: [String] = []
        var seen: Set<String> = []
        for (name, _) in unknownFields where seen.insert(name.lowercased()).inserted { names.append(name.lowercased()) }
        let first = unknownFields[0]
        let nearest = Spelling.nearest(to: first.name, among: schema.fields.map(\.name))
        let isFunction = FunctionLibrary.isKnown(first.name.uppercased())
        let hint =
            nearest.map { "did you mean {\($0)}?" }
            ?? (isFunction ? "a function needs parentheses: \(first.name.uppercased())(…)" : nil)
        return FormulaError(
            .unknownField,
            "Unknown field names: \(names.joined(separator: ", "))",
            at: lexer.position(of: first.offset),
            hint: hint,
            unknownFields: names
        )
    }

    private func expectedOperand(_ offset: Int) -> FormulaError {
        let hint: String? =
            switch token {
            case .comparison(.equal): "equality is one ="
            case .comparison(.greater): "unequal is written !="
            case .ampersand: "\"and\" is written AND(a, b)"
            default: nil
            }
        return lexer.failure(
            "Expected a value (a number, a text, a field, a function or a parenthesis), found \(token.shown).",
            at: offset,
            hint: hint
        )
    }

    private func expectedOperator(_ offset: Int) -> FormulaError {
        let within: String? = pending.last { entry in
            switch entry {
            case .parenthesis, .call: true
            default: false
            }
        }.map { if case .call = $0 { "an operator, \",\" or \")\"" } else { "an operator or \")\"" } }
        let hint: String? =
            if case .name = token { "a field with a space in its name stands in braces" } else { nil }
        return lexer.failure(
            "Expected \(within ?? "an operator or the end"), found \(token.shown).",
            at: offset,
            hint: hint
        )
    }
}
