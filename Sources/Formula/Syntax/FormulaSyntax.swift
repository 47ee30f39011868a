/// A parsed formula, flat: its nodes in postfix order, each after its operands.
///
/// Flat because a formula of 100 KB may be a chain of 50,000 operators: a tree of that depth could not be walked, or
/// even freed, on any stack. Everything that reads it goes once over `nodes`, with a stack of its own.
package struct FormulaSyntax: Sendable {
    package enum Kind: Sendable {
        case number(Double)
        case text(String)
        /// A field by its slot in the schema.
        case field(Int)
        case negate
        case plus
        case arithmetic(FormulaArithmetic)
        case concatenate
        case compare(FormulaComparison)
        /// A function in upper case, with its number of arguments.
        case call(String, Int)
    }

    package struct Node: Sendable {
        package let kind: Kind
        /// The first node of what belongs to this one; equal to its own index for a leaf.
        package let start: Int
        /// Bytes from the start of the text to what the node is written as: name, sign or literal.
        let offset: Int
    }

    /// Where the text names a field: bytes of the name with its braces.
    struct Reference: Sendable {
        let range: Range<Int>
        let slot: Int
    }

    package internal(set) var nodes: [Node] = []
    var references: [Reference] = []

    /// The roots of the operands of the node at `index`, first to last.
    package func operands(of index: Int) -> [Int] {
        var roots: [Int] = []
        var root = index - 1
        while root >= nodes[index].start {
            roots.append(root)
            root = nodes[root].start - 1
        }
        return roots.reversed()
    }
}

package enum FormulaArithmetic: String, Sendable, Hashable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"

    @inline(__always)
    func callAsFunction(_ left: Double, _ right: Double) -> Double {
        switch self {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        }
    }
}
