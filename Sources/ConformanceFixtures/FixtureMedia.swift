import Domain

/// The smallest picture and the shortest sound that are still valid.
enum FixtureMedia {
    /// PNG of one red pixel.
    static let png = """
        iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mM4oKAAAAKkAQHdsXSBAAAAAElFTkSuQmCC
        """
    /// WAV of four samples: 8 kHz, 16 bit, one channel.
    static let wav = """
        UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQgAAAAAAEAfAADA4A==
        """

    static let picture = ContentBlock.image(base64: png, mediaType: "image/png")
    static let sound = ContentBlock.audio(base64: wav, mediaType: "audio/wav")
}
