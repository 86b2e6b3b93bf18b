import VidSystem
import VidTensor

/// A scene: a striped disc over a background, under coloured lamps, in any of its states.
///
/// The disc is bright on a dark ground. Four lamps of different colours light it depending on its position, so that a network that
/// averages over the picture can still locate it. Everything is periodic: the disc leaves on one side and returns on the other.
/// Colours, stripes, size, background and noise are random for each scene.
struct SyntheticScene {
    /// The disc's position, the direction of its stripes and its size, each periodic in [0, 1).
    struct State: Equatable {
        var x: Float
        var y: Float
        var angle: Float
        var size: Float
    }

    private let rows: Int
    private let columns: Int
    private let seed: UInt64
    private let stream: UInt64
    private let bright: [Float]
    private let dark: [Float]
    private let ground: [Float]
    private let waves: (Float, Float, Float)
    private let stripes: Float
    private let stripePhase: Float
    /// The initial state.
    let origin: State

    /// Draws a scene: its look from `random`, its noise from stream `noiseStream` of `seed`.
    init(rows: Int, columns: Int, seed: UInt64, noiseStream: UInt64, random: inout RandomGenerator) {
        self.rows = rows
        self.columns = columns
        self.seed = seed
        stream = noiseStream
        bright = (0..<3).map { _ in random.uniform(200, 255) }
        dark = (0..<3).map { _ in random.uniform(70, 140) }
        ground = (0..<3).map { _ in random.uniform(10, 50) }
        // Whole numbers of waves, so that the background has no seam either.
        waves = (Float(random.below(5) - 2), Float(random.below(5) - 2), random.uniform(0, 2 * .pi))
        stripes = random.uniform(1, 1.6)
        stripePhase = random.uniform(0, 2 * .pi)
        origin = State(x: random.uniform(), y: random.uniform(), angle: random.uniform(), size: random.uniform())
    }

    /// The lamps' positions (both coordinates 0...1) and colours.
    private static let lamps: [(x: Float, y: Float, colour: [Float])] = [
        (0, 0, [1, 0.25, 0.25]), (0.5, 0, [0.25, 1, 0.25]), (0, 0.5, [0.25, 0.25, 1]), (0.5, 0.5, [1, 1, 0.25]),
    ]

    /// The picture of `state` as (3, rows, columns) bytes. `number` determines the noise.
    func frame(_ state: State, number: Int) -> [UInt8] {
        let side = Float(min(rows, columns))
        let radius = 0.16 * pow(2.75, wrapped(state.size))
        // Stripes repeat after half a turn.
        let (sine, cosine) = (sin(.pi * state.angle), cos(.pi * state.angle))
        let centre = (x: wrapped(state.x), y: wrapped(state.y))
        let pixels = rows * columns
        var frame = [UInt8](repeating: 0, count: 3 * pixels)
        var noise = Noise(seed: seed, stream: stream, first: UInt64(number) << 32)
        for row in 0..<rows {
            let y = (Float(row) + 0.5) / Float(rows)
            let dy = nearest(y - centre.y)
            for column in 0..<columns {
                let x = (Float(column) + 0.5) / Float(columns)
                let dx = nearest(x - centre.x)
                let u = (cosine * dx + sine * dy) / radius
                let distance = (dx * dx + dy * dy).squareRoot()
                let cover = min(max((radius - distance) * side + 0.5, 0), 1)
                let wave = 1 + 0.25 * sin(2 * .pi * (waves.0 * x + waves.1 * y) + waves.2)
                let stripe = min(max(0.5 + sin(stripePhase + 2 * .pi * stripes * u), 0), 1)
                let light = cover > 0 ? SyntheticScene.light(x, y) : (1, 1, 1)
                for channel in 0..<3 {
                    let lit = channel == 0 ? light.0 : channel == 1 ? light.1 : light.2
                    let disc = (dark[channel] + (bright[channel] - dark[channel]) * stripe) * lit
                    let value = ground[channel] * wave * (1 - cover) + disc * cover + noise.next()
                    frame[channel * pixels + row * columns + column] = UInt8(min(max(value.rounded(), 0), 255))
                }
            }
        }
        return frame
    }

    /// The lamps' light at (x, y): red, green, blue.
    private static func light(_ x: Float, _ y: Float) -> (Float, Float, Float) {
        var sum: (Float, Float, Float) = (0, 0, 0)
        var total: Float = 0
        for lamp in lamps {
            let weight = exp(1.5 * (cos(2 * .pi * (x - lamp.x)) + cos(2 * .pi * (y - lamp.y)) - 2))
            total += weight
            sum.0 += weight * lamp.colour[0]
            sum.1 += weight * lamp.colour[1]
            sum.2 += weight * lamp.colour[2]
        }
        return (sum.0 / total, sum.1 / total, sum.2 / total)
    }

    private func wrapped(_ value: Float) -> Float { value - value.rounded(.down) }

    /// The shortest periodic difference of two coordinates.
    private func nearest(_ difference: Float) -> Float { difference - difference.rounded() }

    /// Noise of mean 0 and standard deviation near 4: sums of two bytes of the counter-based generator.
    private struct Noise {
        private let seed: UInt64
        private let stream: UInt64
        private var block: UInt64
        private var bits: UInt64 = 0
        private var spare: UInt64 = 0
        private var left = 0

        init(seed: UInt64, stream: UInt64, first: UInt64) {
            self.seed = seed
            self.stream = stream
            block = first
        }

        mutating func next() -> Float {
            if left == 0 {
                let words = RandomGenerator.words(seed: seed, stream: stream, block: block)
                block &+= 1
                bits = UInt64(words.0) << 32 | UInt64(words.1)
                spare = UInt64(words.2) << 32 | UInt64(words.3)
                left = 8
            } else if left == 4 {
                bits = spare
            }
            left -= 1
            let pair = (Float(bits & 0xFF), Float(bits >> 8 & 0xFF))
            bits >>= 16
            // A byte has a standard deviation of 74; the sum of two, 104.5.
            return (pair.0 + pair.1 - 255) * (4 / 104.5)
        }
    }
}
