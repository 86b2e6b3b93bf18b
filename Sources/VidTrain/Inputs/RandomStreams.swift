/// The streams of a run's seed that draws take their random numbers from: one for each, so that neither the order of loading
/// nor where a training was resumed shows in them.
///
/// A stream's first byte tells what it is for. Streams 0 to 2 (weights, order, dropout) and those of the splits have others.
enum RandomStreams {
    /// Sampling and augmentation of the `position`-th draw of an epoch.
    static func draw(epoch: Int, position: Int) -> UInt64 { stream(0xA0, epoch, position) }

    /// Which of its copies the `position`-th draw of an epoch takes.
    static func choice(epoch: Int, position: Int) -> UInt64 { stream(0xA1, epoch, position) }

    /// How the clips of a batch are mixed.
    static func mixture(epoch: Int, batch: Int) -> UInt64 { stream(0xA2, epoch, batch) }

    /// Sampling and augmentation of copy `number` of a clip: by its name, so that another split leaves them as they are.
    static func copy(_ number: Int, of name: String) -> UInt64 {
        // FNV-1a, 40 bits of it.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return 0xA3 << 56 | (hash >> 24) << 16 | UInt64(number & 0xFFFF)
    }

    private static func stream(_ use: UInt64, _ epoch: Int, _ place: Int) -> UInt64 {
        use << 56 | UInt64(epoch & 0xFF_FFFF) << 32 | UInt64(place & 0xFFFF_FFFF)
    }
}
