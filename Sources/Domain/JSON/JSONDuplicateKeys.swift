/// Finds the first key of an object that stands in it already, in time linear in the object.
enum JSONDuplicateKeys {
    /// The tape's position of that key; nil when all differ.
    static func first(
        in object: Int,
        of entries: [JSONTape.Entry],
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        entries.withUnsafeBufferPointer { entries in
            if entries[object].count <= JSONKeyTable.threshold, !hasEscapes(object, entries) {
                firstOfFew(object, entries, bytes)
            } else {
                firstOfMany(object, entries, bytes)
            }
        }
    }

    private static func hasEscapes(_ object: Int, _ entries: UnsafeBufferPointer<JSONTape.Entry>) -> Bool {
        var position = object + 1
        while position < Int(entries[object].next) {
            if entries[position].kind == .escapedString { return true }
            position = Int(entries[position + 1].next)
        }
        return false
    }

    /// Compares each with each. Lengths nearly always differ or decide at the first bytes.
    private static func firstOfFew(
        _ object: Int,
        _ entries: UnsafeBufferPointer<JSONTape.Entry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        let end = Int(entries[object].next)
        var later = Int(entries[object + 2].next)
        while later < end {
            var earlier = object + 1
            while earlier < later {
                if areSame(entries[earlier], entries[later], bytes) { return later }
                earlier = Int(entries[earlier + 1].next)
            }
            later = Int(entries[later + 1].next)
        }
        return nil
    }

    private static func firstOfMany(
        _ object: Int,
        _ entries: UnsafeBufferPointer<JSONTape.Entry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        let end = Int(entries[object].next)
        var table = JSONKeyTable(for: entries[object].count)
        var position = object + 1
        while position < end {
            let hash = hash(entries[position], bytes)
            if table.find(hash, where: { areSame(entries[$0], entries[position], bytes) }) != nil { return position }
            table.insert(position, hash)
            position = Int(entries[position + 1].next)
        }
        return nil
    }

    @inline(__always)
    private static func areSame(
        _ left: JSONTape.Entry,
        _ right: JSONTape.Entry,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        if left.kind == .escapedString || right.kind == .escapedString {
            return decoded(left, bytes).elementsEqual(decoded(right, bytes))
        }
        return left.content(in: bytes).hasSameBytes(as: right.content(in: bytes))
    }

    private static func hash(_ entry: JSONTape.Entry, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        guard entry.kind == .escapedString else { return JSONKeyTable.hash(entry.content(in: bytes)) }
        return decoded(entry, bytes).withUnsafeBufferPointer { JSONKeyTable.hash($0) }
    }

    private static func decoded(_ entry: JSONTape.Entry, _ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let content = entry.content(in: bytes)
        guard entry.kind == .escapedString else { return Array(content) }
        return [UInt8](unsafeUninitializedCapacity: content.count) { buffer, count in
            count = JSONEscapes.decode(content, into: buffer)
        }
    }
}
