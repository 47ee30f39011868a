/// Bounds of what a program brings back between two requests.
extension Limits {
    /// Bytes that are kept in a sealed text: digests, names and answers to a form, never records.
    public static let requestStateBytes = 32 * 1_024
    /// Bytes of what marks something as used up: twice a digest in hexadecimal.
    public static let nonceBytes = 128
    /// Dead nonces that each new one clears away: more than one, so that they become fewer without anybody else's help.
    public static let sweptNonces = 32
    /// Nonces that a process without a database remembers: some 200 bytes each. Beyond, nothing can be used up.
    public static let rememberedNonces = 16_384
}
