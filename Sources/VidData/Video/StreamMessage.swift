import VidSystem

/// The unit of a stream's times: `over` / `under` seconds.
package struct StreamClock: Equatable, Sendable {
    static let size = 16

    package let over: Int
    package let under: Int

    package init(over: Int, under: Int) { (self.over, self.under) = (over, under) }

    package var bytes: [UInt8] { [over, under].flatMap { LittleEndian.bytes(Int64($0)) } }

    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        self.init(over: cursor.integer(), under: cursor.integer())
        guard cursor.isAtEnd, (1...Int(Int32.max)).contains(over), (1...Int(Int32.max)).contains(under) else { return nil }
    }
}

extension StreamClock {
    /// Whether a frame can have this time: sums of such times do not overflow.
    package static func isPossible(_ time: Int64) -> Bool { (-Int64.max >> 8..<Int64.max >> 8).contains(time) }
}

/// How a stream ended.
package struct StreamEnd: Equatable {
    static let size = MediaDamage.size + 16

    var damage = MediaDamage()
    /// How long the last frame is shown, in units of the stream's clock; 0 = unknown.
    var lastDuration = 0
    /// Whether it could not be read to the end of its bytes.
    var isCut = false

    package var bytes: [UInt8] { damage.bytes + [lastDuration, isCut ? 1 : 0].flatMap { LittleEndian.bytes(Int64($0)) } }
}

extension StreamEnd {
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == StreamEnd.size, let damage = MediaDamage(Array(bytes[..<MediaDamage.size])) else { return nil }
        var cursor = ByteCursor(Array(bytes[MediaDamage.size...]))
        self.init(damage: damage, lastDuration: cursor.integer(), isCut: cursor.integer() == 1)
        guard (0...Int(Int64.max >> 8)).contains(lastDuration) else { return nil }
    }
}
