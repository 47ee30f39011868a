/// An Airtable formula, compiled once to be evaluated many times.
///
/// Values are safe to share between threads. The language is the one of Airtable's formula fields: 84 functions, see
/// docs/formula.md; where Airtable says nothing, `FormulaDecisions` does.
public struct Formula: Sendable {
    public let text: String
    /// What evaluating gives, as far as it can be told from the text.
    public let resultType: FormulaType
    /// Slots of the fields that it names, rising.
    public let referencedSlots: [Int]
    /// What else the result hangs on, so that somebody who keeps results knows when they are stale.
    public let dependencies: Dependencies
    /// For those who turn formulas into something else, such as SQL.
    package let syntax: FormulaSyntax
    private let program: FormulaProgram

    public struct Dependencies: OptionSet, Sendable, Hashable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// NOW, TODAY, FROMNOW, TONOW.
        public static let now = Self(rawValue: 1)
        /// LAST_MODIFIED_TIME.
        public static let lastModifiedTime = Self(rawValue: 2)
    }

    /// - Throws: what is wrong first, with its position.
    public init(_ text: String, schema: FormulaSchema) throws(FormulaError) {
        syntax = try FormulaParser.parse(text, schema: schema)
        let result = try FormulaCompiler.compile(syntax, schema: schema) { FormulaLexer(text).position(of: $0) }
        self.text = text
        program = result.program
        resultType = result.type
        dependencies = result.dependencies
        referencedSlots = Set(syntax.references.map(\.slot)).sorted()
    }

    /// Evaluates for one record. Never fails: what cannot be computed is `.error`.
    public func evaluate(_ row: some FormulaRow, in environment: FormulaEnvironment) -> FormulaValue {
        FormulaMachine.run(program, row, in: environment).shaped(to: resultType)
    }

    /// Whether the record passes when this is a filter: an error does not.
    public func accepts(_ row: some FormulaRow, in environment: FormulaEnvironment) -> Bool {
        verdict(row, in: environment) ?? false
    }

    /// The same for who has to know of errors: nil for one.
    package func verdict(_ row: some FormulaRow, in environment: FormulaEnvironment) -> Bool? {
        FormulaMachine.run(program, row, in: environment).asBoolean
    }

    /// A piece of a formula, compiled.
    package struct Part: Sendable {
        fileprivate let program: FormulaProgram

        package func value(_ row: some FormulaRow, in environment: FormulaEnvironment) -> FormulaValue {
            FormulaMachine.run(program, row, in: environment)
        }
    }

    /// One node of `syntax` with what belongs to it, to be evaluated by itself.
    ///
    /// - Parameter schema: the one that the formula was compiled with.
    package func part(_ root: Int, schema: FormulaSchema) -> Part? {
        // What a whole formula's compiling did not refuse, a part's does not.
        let result = try? FormulaCompiler.compile(syntax.part(root), schema: schema) { $0 }
        return result.map { Part(program: $0.program) }
    }

    /// The names of the functions it calls, in the order of the alphabet.
    public var functionNames: [String] {
        let names = syntax.nodes.compactMap { if case .call(let name, _) = $0.kind { name } else { nil } }
        return Set(names).sorted()
    }

    /// The text with each field written as `name` says, in braces: by identifier to be kept, by name to be shown.
    public func text(naming name: (Int) -> String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var done = 0
        for reference in syntax.references {
            result += bytes[done..<reference.range.lowerBound]
            result.append(UInt8(ascii: "{"))
            for byte in name(reference.slot).utf8 {
                if byte == UInt8(ascii: "}") { result.append(UInt8(ascii: "\\")) }
                result.append(byte)
            }
            result.append(UInt8(ascii: "}"))
            done = reference.range.upperBound
        }
        result += bytes[done...]
        return String(decoding: result, as: UTF8.self)
    }
}
