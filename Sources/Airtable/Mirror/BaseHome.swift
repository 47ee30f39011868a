/// Where the records of a base live.
public enum BaseHome: String, Sendable, Hashable, CaseIterable {
    /// Here: this store is the truth.
    case embedded
    /// At the hosted service, which is asked for every record; only the schema is kept here.
    case hosted
    /// At the hosted service, with a copy here that is kept in step and answers every read.
    case mirrored
}
