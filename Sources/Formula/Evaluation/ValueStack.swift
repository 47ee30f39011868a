/// A stack of values in memory that somebody else gives: nothing is allocated while a formula is evaluated.
///
/// The compiler has counted how deep it gets, so pushing checks nothing in release builds.
struct ValueStack {
    private let memory: UnsafeMutableBufferPointer<FormulaValue>
    private(set) var count = 0

    init(in memory: UnsafeMutableBufferPointer<FormulaValue>) { self.memory = memory }

    @inline(__always)
    mutating func push(_ value: consuming FormulaValue) {
        assert(count < memory.count, "the compiler counted \(memory.count) values")
        (memory.baseAddress! + count).initialize(to: value)
        count += 1
    }

    @inline(__always)
    mutating func pop() -> FormulaValue {
        count -= 1
        return (memory.baseAddress! + count).move()
    }

    /// The value so far below the top, which is at 0.
    @inline(__always)
    subscript(depth: Int) -> FormulaValue {
        get { memory[count - 1 - depth] }
        nonmutating set { memory[count - 1 - depth] = newValue }
    }

    /// Takes the topmost values away, the deepest first.
    mutating func popArray(_ length: Int) -> [FormulaValue] {
        count -= length
        let first = memory.baseAddress! + count
        return [FormulaValue](unsafeUninitializedCapacity: length) { buffer, initialized in
            if length > 0 { buffer.baseAddress!.moveInitialize(from: first, count: length) }
            initialized = length
        }
    }

    mutating func removeAll() {
        memory.baseAddress?.deinitialize(count: count)
        count = 0
    }
}
