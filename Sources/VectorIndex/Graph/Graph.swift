import Synchronization

/// A navigable small-world graph over fp32 vectors (HNSW; Malkov & Yashunin, arXiv 1603.09320), and its catalog.
///
/// Any number of threads search while one writer changes it, without locks between them: link lists are
/// replaced word by word, and a search that meets half a list only sees a mixture of valid links. Two things
/// need more care. A slot is given to another vector only after every search that may have seen the old
/// one has ended (`gate`: searches hold it for reading). And key to slot changes under `catalogLock`, which a
/// search takes for the moment in which it checks its results.
///
/// `@unchecked Sendable`: the arrays are written by the holder of the writer's lock only, link lists, states,
/// keys and twins by atomic words, rows and lengths of lists before anything points to their slot.
final class Graph: @unchecked Sendable {
    let parameters: IndexParameters
    let space: VectorSpace
    let memory: GraphMemory
    let view: GraphView
    let gate = ReadWriteLock()
    let scratch: ScratchPool

    private let catalogLock = ReadWriteLock()
    private var catalog: Catalog
    private let entryWord = Atomic<UInt64>(0)
    private let slotCountWord = Atomic<Int>(0)
    private let deadCountWord = Atomic<Int>(0)

    init(parameters: IndexParameters, expectedCount: Int = 0) throws(VectorIndexError) {
        self.parameters = parameters
        space = VectorSpace(dimension: parameters.dimension, metric: parameters.metric)
        memory = try GraphMemory(space: space, m: parameters.m)
        view = memory.view
        scratch = ScratchPool(stride: space.stride)
        catalog = Catalog(minimumCapacity: expectedCount)
    }

    /// Where every walk begins; nil while the graph is empty.
    var entry: (slot: UInt32, level: Int)? {
        get {
            let word = entryWord.load(ordering: .acquiring)
            return word == 0 ? nil : (UInt32(truncatingIfNeeded: word >> 8), Int(word >> 1 & 0x7F))
        }
        set {
            let word = newValue.map { UInt64($0.slot) << 8 | UInt64($0.level) << 1 | 1 } ?? 0
            entryWord.store(word, ordering: .releasing)
        }
    }

    /// Slots ever used; every slot number is below it.
    var slotCount: Int {
        get { slotCountWord.load(ordering: .acquiring) }
        set { slotCountWord.store(newValue, ordering: .releasing) }
    }

    /// Deleted slots still linked.
    var deadCount: Int {
        get { deadCountWord.load(ordering: .relaxed) }
        set { deadCountWord.store(newValue, ordering: .relaxed) }
    }

    /// Keys in the index.
    var count: Int { readCatalog { $0.count } }

    func readCatalog<T>(_ body: (borrowing Catalog) -> T) -> T { catalogLock.read { body(catalog) } }

    func writeCatalog<T>(_ body: (inout Catalog) -> T) -> T { catalogLock.write { body(&catalog) } }

    /// The level of a new node: geometric with ratio 1/m, drawn from its key, so that it depends on no order.
    func level(for key: UInt64) -> Int {
        // SplitMix64 of seed and key; 53 bits make a number in (0, 1].
        var bits = (key ^ parameters.seed) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        // Comparing with powers of 1/m is floor(-ln(u) / ln(m)) without logarithms.
        let uniform = (Double(bits >> 11) + 1) / 0x1p53
        var level = 0
        var threshold = 1 / Double(parameters.m)
        while uniform <= threshold && level < SlotState.levelMax {
            level += 1
            threshold /= Double(parameters.m)
        }
        return level
    }
}
