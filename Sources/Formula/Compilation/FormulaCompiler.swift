/// Makes a program of a formula's syntax in one pass over its nodes, each of which comes after its operands.
///
/// What lies between operands, the jumps of IF and SWITCH, is laid down beforehand as the *role* of the operand that it
/// follows.
struct FormulaCompiler {
    /// What an operand is to a lazy function, and so what follows its code. Numbers are labels.
    private enum Role {
        case ordinary
        case condition(otherwise: Int, end: Int)
        /// A branch that, once taken, ends the function; then the way to the next begins.
        case consequence(next: Int, end: Int, Continuation, givesBlank: Bool)
        case subject(end: Int)
        case pattern(next: Int, end: Int)
        /// A field that is meant itself, not its value: nothing is emitted.
        case reference
        /// A concatenation within one: joined with it.
        case merged
    }

    /// What the next way begins with.
    private enum Continuation {
        /// Of IF: nothing.
        case otherwise
        /// Of SWITCH: its subject is still there for the next pattern,
        case nextPattern
        /// or has no further use.
        case noPattern
    }

    private let syntax: FormulaSyntax
    private let schema: FormulaSchema
    private var program = FormulaProgram()
    private var roles: [Role]
    /// Where each label stands; set when its place is reached.
    private var labels: [Int] = []
    /// The label after each lazy call, by its node.
    private var endLabels: [Int: Int] = [:]
    /// The types of operands that no node has taken yet.
    private var types: [FormulaType] = []
    /// How many texts a concatenation joins, by its node.
    private var joins: [Int: Int] = [:]
    private var functionIndexes: [String: Int] = [:]
    private var depth = 0

    private(set) var dependencies: Formula.Dependencies = []

    private init(_ syntax: FormulaSyntax, schema: FormulaSchema) {
        self.syntax = syntax
        self.schema = schema
        roles = Array(repeating: .ordinary, count: syntax.nodes.count)
    }

    struct Result {
        let program: FormulaProgram
        let type: FormulaType
        let dependencies: Formula.Dependencies
    }

    /// - Parameter position: Unicode scalars before a byte of the text.
    static func compile(
        _ syntax: FormulaSyntax,
        schema: FormulaSchema,
        position: (Int) -> Int
    ) throws(FormulaError) -> Result {
        var compiler = FormulaCompiler(syntax, schema: schema)
        for index in syntax.nodes.indices { try compiler.assignRoles(within: index, position) }
        for index in syntax.nodes.indices {
            compiler.emit(index)
            compiler.follow(index)
        }
        compiler.resolveLabels()
        return Result(program: compiler.program, type: compiler.types[0], dependencies: compiler.dependencies)
    }

    private mutating func assignRoles(within index: Int, _ position: (Int) -> Int) throws(FormulaError) {
        switch syntax.nodes[index].kind {
        case .concatenate:
            for operand in syntax.operands(of: index) {
                if case .concatenate = syntax.nodes[operand].kind { roles[operand] = .merged }
            }
        case .call("IF", _):
            let operands = syntax.operands(of: index)
            let (otherwise, end) = (label(), label())
            endLabels[index] = end
            roles[operands[0]] = .condition(otherwise: otherwise, end: end)
            roles[operands[1]] = .consequence(
                next: otherwise,
                end: end,
                .otherwise,
                givesBlank: operands.count == 2
            )
        case .call("SWITCH", _):
            assignSwitchRoles(index)
        case .call("LAST_MODIFIED_TIME", _):
            for operand in syntax.operands(of: index) {
                guard case .field = syntax.nodes[operand].kind else {
                    throw FormulaError(
                        .argumentType,
                        "LAST_MODIFIED_TIME takes fields, not values.",
                        at: position(syntax.nodes[operand].offset),
                        hint: "name fields in braces, such as LAST_MODIFIED_TIME({Name})"
                    )
                }
                roles[operand] = .reference
            }
        default:
            break
        }
    }

    private mutating func assignSwitchRoles(_ index: Int) {
        let operands = syntax.operands(of: index)
        let end = label()
        endLabels[index] = end
        roles[operands[0]] = .subject(end: end)
        let hasDefault = operands.count % 2 == 0
        let pairs = (operands.count - 1) / 2
        for pair in 0..<pairs {
            let next = label()
            let isLast = pair == pairs - 1
            roles[operands[1 + 2 * pair]] = .pattern(next: next, end: end)
            roles[operands[2 + 2 * pair]] = .consequence(
                next: next,
                end: end,
                isLast ? .noPattern : .nextPattern,
                givesBlank: isLast && !hasDefault
            )
        }
    }

    private mutating func label() -> Int {
        labels.append(-1)
        return labels.count - 1
    }

    private mutating func place(_ label: Int) { labels[label] = program.instructions.count }

    /// Adds an instruction that leaves the stack so much higher.
    private mutating func add(_ instruction: FormulaProgram.Instruction, _ growth: Int) {
        program.instructions.append(instruction)
        depth += growth
        program.stackDepth = max(program.stackDepth, depth)
    }

    private mutating func addConstant(_ value: FormulaValue, _ type: FormulaType) {
        program.constants.append(value)
        add(.constant(program.constants.count - 1), 1)
        types.append(type)
    }

    /// Takes the types of that many operands away.
    private mutating func takeTypes(_ count: Int) -> [FormulaType] {
        defer { types.removeLast(count) }
        return Array(types.suffix(count))
    }

    private mutating func replaceTypes(_ count: Int, with type: FormulaType) {
        types.removeLast(count)
        types.append(type)
    }

    private mutating func emit(_ index: Int) {
        switch syntax.nodes[index].kind {
        case .number(let number): addConstant(.number(number), .number)
        case .text(let text): addConstant(.text(text), .text)
        case .field(let slot):
            types.append(schema.fields[slot].type)
            if case .reference = roles[index] { return }
            add(.field(slot), 1)
        case .negate:
            add(.negate, 0)
            replaceTypes(1, with: .number)
        case .plus:
            add(.plus, 0)
            replaceTypes(1, with: .number)
        case .arithmetic(let operation):
            add(.arithmetic(operation), -1)
            replaceTypes(2, with: .number)
        case .compare(let comparison):
            add(.compare(comparison), -1)
            replaceTypes(2, with: .boolean)
        case .concatenate: emitConcatenation(index)
        case .call(let name, let count): emitCall(name, count, index)
        }
    }

    private mutating func emitConcatenation(_ index: Int) {
        replaceTypes(2, with: .text)
        let count = syntax.operands(of: index).reduce(0) { $0 + (joins[$1] ?? 1) }
        if case .merged = roles[index] {
            joins[index] = count
        } else {
            add(.concatenate(count), 1 - count)
        }
    }

    private mutating func emitCall(_ name: String, _ count: Int, _ index: Int) {
        if let value = schema.constants[name] { return addConstant(value, .any) }
        switch name {
        case "BLANK": addConstant(.blank, .blank)
        case "TRUE": addConstant(.boolean(true), .boolean)
        case "FALSE": addConstant(.boolean(false), .boolean)
        case "RECORD_ID":
            add(.recordID, 1)
            types.append(.text)
        case "CREATED_TIME":
            add(.createdTime, 1)
            types.append(.date(isDay: false))
        case "LAST_MODIFIED_TIME": emitLastModified(count, index)
        case "IF", "SWITCH":
            let operands = takeTypes(count)
            // Of IF the branches; of SWITCH the results: every second, and a default at the end.
            let isResult: (Int) -> Bool = { place in
                name == "IF" ? place > 0 : place > 0 && (place % 2 == 0 || place == count - 1)
            }
            let results = operands.indices.filter(isResult).map { operands[$0] }
            types.append(results.dropFirst().reduce(results[0]) { $0.or($1) })
            if let end = endLabels[index] { place(end) }
        default: emitFunction(name, count, index)
        }
    }

    private mutating func emitFunction(_ name: String, _ count: Int, _ index: Int) {
        guard let definition = FunctionLibrary.definitions[name] else {
            preconditionFailure("the parser let the unknown function \(name) through")
        }
        if ["NOW", "TODAY", "FROMNOW", "TONOW"].contains(name) { dependencies.insert(.now) }
        let place: Int
        if let known = functionIndexes[name] {
            place = known
        } else {
            place = program.functions.count
            program.functions.append(definition)
            functionIndexes[name] = place
        }
        let result = definition.result(takeTypes(count))
        types.append(name == "DATEADD" && !addsWholeDays(index) ? .date(isDay: false) : result)
        add(.call(function: place, arguments: count), 1 - count)
    }

    /// Whether the unit of this DATEADD is written out, and a day or longer: only then a day surely stays one.
    private func addsWholeDays(_ index: Int) -> Bool {
        guard let unit = syntax.operands(of: index).last, case .text(let name) = syntax.nodes[unit].kind else {
            return false
        }
        return DateUnit(name)?.isWholeDays == true
    }

    private mutating func emitLastModified(_ count: Int, _ index: Int) {
        dependencies.insert(.lastModifiedTime)
        let slots = syntax.operands(of: index).compactMap { operand in
            if case .field(let slot) = syntax.nodes[operand].kind { slot } else { nil }
        }
        types.removeLast(count)
        types.append(.date(isDay: false))
        if slots.isEmpty { return add(.lastModifiedTime(nil), 1) }
        program.slotLists.append(slots)
        add(.lastModifiedTime(program.slotLists.count - 1), 1)
    }

    /// Emits what follows an operand of a lazy function.
    private mutating func follow(_ index: Int) {
        switch roles[index] {
        case .ordinary, .reference, .merged:
            break
        case .condition(let otherwise, let end):
            add(.branch(otherwise: otherwise, end: end), -1)
        case .subject(let end):
            add(.subject(end: end), 0)
        case .pattern(let next, let end):
            add(.match(next: next, end: end), -2)
        case .consequence(let next, let end, let continuation, let givesBlank):
            add(.jump(end), -1)
            place(next)
            if continuation != .otherwise { depth += 1 }
            if continuation == .noPattern { add(.drop, -1) }
            if givesBlank {
                program.constants.append(.blank)
                add(.constant(program.constants.count - 1), 1)
            }
        }
    }

    private mutating func resolveLabels() {
        for index in program.instructions.indices {
            switch program.instructions[index] {
            case .branch(let otherwise, let end):
                program.instructions[index] = .branch(otherwise: labels[otherwise], end: labels[end])
            case .jump(let end): program.instructions[index] = .jump(labels[end])
            case .subject(let end): program.instructions[index] = .subject(end: labels[end])
            case .match(let next, let end):
                program.instructions[index] = .match(next: labels[next], end: labels[end])
            default: break
            }
        }
    }
}
