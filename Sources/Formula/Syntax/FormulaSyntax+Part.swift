extension FormulaSyntax {
    /// One node with what belongs to it, as a formula of its own; what it was written as is not kept.
    func part(_ root: Int) -> FormulaSyntax {
        let start = nodes[root].start
        var part = FormulaSyntax()
        part.nodes = nodes[start...root].map { Node(kind: $0.kind, start: $0.start - start, offset: $0.offset) }
        return part
    }
}
