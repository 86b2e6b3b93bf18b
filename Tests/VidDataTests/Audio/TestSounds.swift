import Foundation
import VidTensor
import VidTestSupport

/// Sounds that tests make themselves.
enum TestSounds {
    /// A WAV file of 16-bit samples, interleaved; `listed` replaces the length that the header gives.
    static func wave(_ samples: [Int16], sampleRate: Int, channels: Int = 1, listed: UInt32? = nil) -> [UInt8] {
        let bytes = samples.flatMap { littleEndian(UInt64(UInt16(bitPattern: $0)), 2) }
        return header(
            format: 1, bits: 16, sampleRate: sampleRate, channels: channels, bytes: listed ?? UInt32(bytes.count)) + bytes
    }

    /// A WAV file of 32-bit floats.
    static func wave(floats samples: [Float], sampleRate: Int) -> [UInt8] {
        let bytes = samples.flatMap { littleEndian(UInt64($0.bitPattern), 4) }
        return header(format: 3, bits: 32, sampleRate: sampleRate, channels: 1, bytes: UInt32(bytes.count)) + bytes
    }

    private static func header(format: UInt64, bits: Int, sampleRate: Int, channels: Int, bytes: UInt32) -> [UInt8] {
        let block = channels * bits / 8
        return Array("RIFF".utf8) + littleEndian(UInt64(bytes &+ 36), 4) + Array("WAVEfmt ".utf8) + littleEndian(16, 4)
            + littleEndian(format, 2) + littleEndian(UInt64(channels), 2) + littleEndian(UInt64(sampleRate), 4)
            + littleEndian(UInt64(sampleRate * block), 4) + littleEndian(UInt64(block), 2) + littleEndian(UInt64(bits), 2)
            + Array("data".utf8) + littleEndian(UInt64(bytes), 4)
    }

    private static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// A tone whose frequency goes from one to another, in noise; full scale is 1.
    static func chirp(seconds: Double, from first: Double, to last: Double, sampleRate: Int, noise: Float = 0, seed: UInt64 = 1) -> [Float]
    {
        var random = RandomGenerator(seed: seed)
        let count = Int(seconds * Double(sampleRate))
        return (0..<count).map { index in
            let t = Double(index) / Double(sampleRate)
            let turns = first * t + (last - first) * t * t / (2 * seconds)
            return 0.5 * Float(cos(2 * Double.pi * turns)) + noise * random.normal()
        }
    }

    static func integers(_ samples: [Float]) -> [Int16] { samples.map { Int16(max(-1, min(1, $0)) * 32767) } }
}
