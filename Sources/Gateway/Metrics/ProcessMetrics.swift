#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension PrometheusRegistry {
    /// Adds what Prometheus' own client libraries tell of a process, under their names. Read from `/proc`; 0 where
    /// there is none.
    public func addProcessMetrics() {
        let pageBytes = Double(sysconf(Int32(_SC_PAGESIZE)))
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        addGauge("process_resident_memory_bytes", "Resident memory.") { field(23, of: "/proc/self/stat") * pageBytes }
        addGauge("process_virtual_memory_bytes", "Virtual memory.") { field(22, of: "/proc/self/stat") }
        addGauge("process_threads", "Threads of the operating system.") { field(19, of: "/proc/self/stat") }
        addGauge("process_open_fds", "Open file descriptors.") { Double(entryCount(of: "/proc/self/fd")) }
        addCounter("process_cpu_seconds_total", "User and system time.") {
            (field(13, of: "/proc/self/stat") + field(14, of: "/proc/self/stat")) / ticks
        }
    }
}

/// A number of `/proc/self/stat`, counted from 0. The second field, the name, may hold spaces and parentheses.
private func field(_ position: Int, of path: String) -> Double {
    guard let file = fopen(path, "r") else { return 0 }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 2_048)
    let count = fread(&bytes, 1, bytes.count, file)
    let text = String(decoding: bytes.prefix(count), as: UTF8.self)
    let fields = text[(text.lastIndex(of: ")").map { text.index(after: $0) } ?? text.startIndex)...].split(
        separator: " "
    )
    let place = position - 2
    return fields.indices.contains(place) ? Double(fields[place]) ?? 0 : 0
}

private func entryCount(of path: String) -> Int {
    guard let directory = opendir(path) else { return 0 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    // Without ".", ".." and the descriptor that reads them.
    return max(0, count - 3)
}
