import Domain

/// Runs a program for one record.
struct FormulaMachine {
    private var stack: ValueStack
    private let environment: FormulaEnvironment
    /// Bytes and items that may still be read and written.
    private var work = Limits.formulaWork

    private init(_ stack: ValueStack, _ environment: FormulaEnvironment) {
        self.stack = stack
        self.environment = environment
    }

    static func run(
        _ program: FormulaProgram,
        _ row: some FormulaRow,
        in environment: FormulaEnvironment
    ) -> FormulaValue {
        withUnsafeTemporaryAllocation(of: FormulaValue.self, capacity: program.stackDepth) { memory in
            var machine = FormulaMachine(ValueStack(in: memory), environment)
            machine.run(program, row)
            // A formula that used up its work stopped half way, with values on the stack that are of no use.
            let result = machine.work < 0 ? FormulaValue.error : machine.stack.pop()
            machine.stack.removeAll()
            return result
        }
    }

    private mutating func run(_ program: FormulaProgram, _ row: some FormulaRow) {
        var next = 0
        let count = program.instructions.count
        while next < count {
            let instruction = program.instructions[next]
            next += 1
            switch instruction {
            case .constant(let place): stack.push(program.constants[place])
            case .field(let slot): stack.push(row.value(slot))
            case .negate: stack.push(Self.signed(stack.pop()) { -$0 })
            case .plus: stack.push(Self.signed(stack.pop()) { $0 })
            case .arithmetic(let operation):
                let right = stack.pop()
                stack[0] = Self.calculate(stack[0], operation, right)
            case .compare(let comparison):
                let right = stack.pop()
                charge(stack[0], right)
                stack[0] = FormulaValue.compare(stack[0], comparison, right)
            case .concatenate(let count): concatenate(count)
            case .jump(let target): next = target
            case .branch, .subject, .match, .drop: next = control(instruction, next)
            case .call(let function, let arguments): call(program.functions[function], arguments)
            case .recordID: stack.push(row.recordID.map { .text($0) } ?? .blank)
            case .createdTime: stack.push(row.createdTime.map { .date(FormulaDate($0)) } ?? .blank)
            case .lastModifiedTime(let list):
                let slots = list.map { program.slotLists[$0] }
                stack.push(row.lastModifiedTime(slots).map { .date(FormulaDate($0)) } ?? .blank)
            }
            if work < 0 { return }
        }
    }

    /// - Returns: the instruction to go on with.
    private mutating func control(_ instruction: FormulaProgram.Instruction, _ next: Int) -> Int {
        switch instruction {
        case .branch(let otherwise, let end):
            guard let holds = stack.pop().asBoolean else {
                stack.push(.error)
                return end
            }
            return holds ? next : otherwise
        case .subject(let end):
            if stack[0] == .error { return end }
        case .match(let otherwise, let end):
            let pattern = stack.pop()
            charge(stack[0], pattern)
            switch FormulaValue.compare(stack[0], .equal, pattern) {
            case .boolean(true): _ = stack.pop()
            case .boolean(false): return otherwise
            default:
                stack[0] = .error
                return end
            }
        case .drop:
            _ = stack.pop()
        default:
            break
        }
        return next
    }

    private static func signed(_ value: FormulaValue, _ sign: (Double) -> Double) -> FormulaValue {
        value.asNumber.map { .number(sign($0)) } ?? .error
    }

    @inline(__always)
    private static func calculate(
        _ left: FormulaValue,
        _ operation: FormulaArithmetic,
        _ right: FormulaValue
    ) -> FormulaValue {
        if case .number(let left) = left, case .number(let right) = right { return .number(operation(left, right)) }
        guard let left = left.asNumber, let right = right.asNumber else { return .error }
        return .number(operation(left, right))
    }

    private mutating func concatenate(_ count: Int) {
        var result = ""
        var isError = false
        for depth in (0..<count).reversed() {
            guard let text = stack[depth].asText, result.utf8.count + text.utf8.count <= Limits.formulaTextBytes else {
                isError = true
                break
            }
            result += text
        }
        for _ in 0..<count { _ = stack.pop() }
        work -= result.utf8.count + count
        stack.push(isError ? .error : .text(result))
    }

    private mutating func call(_ function: FunctionDefinition, _ count: Int) {
        let arguments = stack.popArray(count)
        if !function.takesErrors, arguments.contains(where: { if case .error = $0 { true } else { false } }) {
            return stack.push(.error)
        }
        for argument in arguments { work -= argument.weight }
        guard work >= 0 else { return }
        let result = function.body(arguments, environment)
        if case .text(let text) = result, text.utf8.count > Limits.formulaTextBytes { return stack.push(.error) }
        work -= result.weight
        stack.push(result)
    }

    /// For reading both, which costs little unless they are long.
    @inline(__always)
    private mutating func charge(_ left: FormulaValue, _ right: FormulaValue) {
        if case .number = right { return }
        work -= left.weight + right.weight
    }
}
