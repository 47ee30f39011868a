import Domain

/// A compiled formula: instructions for a machine with a stack of values.
///
/// Flat like the syntax it is made of, and for the same reason; and quick, because nothing is looked up by name.
struct FormulaProgram: Sendable {
    enum Instruction: Sendable {
        case constant(Int)
        case field(Int)
        case negate
        case plus
        case arithmetic(FormulaArithmetic)
        /// Joins so many texts.
        case concatenate(Int)
        case compare(FormulaComparison)
        /// Takes the condition away; goes to `otherwise` when it fails, and with an error in its place to `end`.
        case branch(otherwise: Int, end: Int)
        case jump(Int)
        /// Goes to `end` when the value on top, which SWITCH is about, is an error.
        case subject(end: Int)
        /// Takes a pattern away and, when it equals the subject below, that too; else goes to `next`. With an error for
        /// the pattern it goes to `end` with an error in the subject's place.
        case match(next: Int, end: Int)
        case drop
        case call(function: Int, arguments: Int)
        case recordID
        case createdTime
        /// The slots are at this place of `slotLists`; nil is all that somebody sets.
        case lastModifiedTime(Int?)
    }

    var instructions: [Instruction] = []
    var constants: [FormulaValue] = []
    var functions: [FunctionDefinition] = []
    var slotLists: [[Int]] = []
    /// The most values that are on the stack at once.
    var stackDepth = 0
}
