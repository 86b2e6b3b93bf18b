import Foundation
import Testing
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// Whether explanations of a trained model say where the thing is that the class depends on.
///
/// A square moves over noise; the class is its colour, red or blue. A grey square of the same brightness moves, too, and says
/// nothing. Maps have 16 x 16 places for 32 x 32 pixels.
@Suite struct ExplanationSanityTests {
    @Test func heatFollowsTheObjectAndItsRegionMatters() async throws {
        let model = try await ColouredSquares.trained()
        var distances: [Double] = []
        var evenly: [Double] = []
        var drops: (hot: Double, elsewhere: Double) = (0, 0)
        var random = RandomGenerator(seed: 5)
        var right = 0
        for number in 0..<12 {
            let scene = ColouredSquares(label: number % 2, number: 1000 + number)
            let clip = scene.clip
            let seen = try model.activations(of: clip)
            if seen.logits[scene.label] > seen.logits[1 - scene.label] { right += 1 }
            let explanation = model.explain(seen, target: scene.label, against: 1 - scene.label)
            var hottest: [(row: Int, column: Int)] = []
            for (frame, centre) in scene.centres.enumerated() {
                let mass = centreOfMass(explanation.maps[frame], columns: explanation.mapColumns)
                if let mass {
                    let (y, x) = ((mass.row + 0.5) * 2, (mass.column + 0.5) * 2)
                    distances.append(((y - centre.row) * (y - centre.row) + (x - centre.column) * (x - centre.column)).squareRoot())
                }
                let (dy, dx) = (16 - centre.row, 16 - centre.column)
                evenly.append((dy * dy + dx * dx).squareRoot())
                let hot = explanation.maps[frame].indices.max { explanation.maps[frame][$0] < explanation.maps[frame][$1] } ?? 0
                hottest.append((2 * (hot / explanation.mapColumns) + 1, 2 * (hot % explanation.mapColumns) + 1))
            }
            func score(_ clip: LoadedClip) -> Double {
                let logits = model.output(clip).logits
                return Double(logits[scene.label] - logits[1 - scene.label])
            }
            let before = score(clip)
            drops.hot += before - score(scene.occluded(hottest))
            for _ in 0..<5 {
                let places = scene.centres.map { _ in (row: random.below(32), column: random.below(32)) }
                drops.elsewhere += (before - score(scene.occluded(places))) / 5
            }
        }
        #expect(right == 12, "the model learnt \(right) of 12")
        // Every frame has a map. The centre of one that is as hot everywhere is the middle of the frame.
        let mean = distances.reduce(0, +) / Double(distances.count)
        let even = evenly.reduce(0, +) / Double(evenly.count)
        #expect(distances.count == 12 * 4 && mean <= 0.7 * even, "heat is \(mean) pixels from the square, the middle \(even)")
        #expect(drops.hot >= 3 * drops.elsewhere && drops.hot > 0, "occluding: \(drops)")
    }

    @Test func theFrameThatShowsTheObjectContributes() async throws {
        let model = try await ColouredSquares.trained()
        for shown in 0..<4 {
            let scene = ColouredSquares(label: shown % 2, number: 2000 + shown, visible: [shown])
            let empty = ColouredSquares(label: shown % 2, number: 2000 + shown, visible: [])
            func explain(_ clip: LoadedClip) throws -> ClipExplanation {
                model.explain(try model.activations(of: clip), target: scene.label, against: 1 - scene.label)
            }
            // The background speaks, too, the same in both.
            let (explanation, before) = (try explain(scene.clip), try explain(empty.clip))
            let gains = zip(explanation.contributions, before.contributions).map { $0 - $1 }
            let most = gains.indices.max { gains[$0] < gains[$1] }
            #expect(most == shown && gains[shown] > 0, "frame \(shown) shows it: \(gains)")
            // 64 points; the gates of an LSTM bend in between.
            #expect(explanation.completenessError <= 0.01 * max(1, abs(explanation.score - explanation.baseline)))
        }
    }

    /// Adebayo et al. 2018, "Sanity checks for saliency maps": maps that stay when the weights go show the picture's edges and not
    /// what the model does.
    @Test(arguments: [["cnn/", "recurrent_", "hidden_", "output"], ["recurrent_", "output"]])
    func otherWeightsGiveOtherMaps(_ replaced: [String]) async throws {
        let model = try await ColouredSquares.trained()
        let parameters = model.classifier.parameters
        let scenes = (0..<6).map { ColouredSquares(label: $0 % 2, number: 3000 + $0) }
        func maps() throws -> [[Float]] {
            try scenes.map { Array(model.explain(try model.activations(of: $0.clip), target: $0.label).maps.joined()) }
        }
        let (before, again) = (try maps(), try maps())
        #expect(before == again)
        let kept = parameters.slices.map { parameters.value($0).array }
        try model.classifier.initialize(seed: 99)
        for (slice, values) in zip(parameters.slices, kept) where !replaced.contains(where: { slice.name.hasPrefix($0) }) {
            parameters.value(slice).copy(from: values)
        }
        parameters.didChange()
        let likeness = zip(before, try maps()).map { correlation($0, $1) }.reduce(0, +) / Double(scenes.count)
        #expect(likeness <= 0.7, "maps of other weights are alike: \(likeness)")
    }

    private func centreOfMass(_ map: [Float], columns: Int) -> (row: Double, column: Double)? {
        var (sum, row, column) = (0.0, 0.0, 0.0)
        for (place, value) in map.enumerated() {
            sum += Double(value)
            row += Double(value) * Double(place / columns)
            column += Double(value) * Double(place % columns)
        }
        return sum > 0 ? (row / sum, column / sum) : nil
    }

    private func correlation(_ a: [Float], _ b: [Float]) -> Double {
        let (meanA, meanB) = (Double(a.reduce(0, +)) / Double(a.count), Double(b.reduce(0, +)) / Double(b.count))
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            let (dx, dy) = (Double(x) - meanA, Double(y) - meanB)
            ab += dx * dy
            aa += dx * dx
            bb += dy * dy
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
    }
}

/// A clip of a coloured and a grey square that move over noise.
private struct ColouredSquares {
    static let frames = 4
    static let side = 32
    static let square = 8

    static let classes = ["red", "blue"]

    let label: Int
    /// Of the coloured square, in pixels.
    let centres: [(row: Double, column: Double)]
    private let pixels: [UInt8]

    init(label: Int, number: Int, visible: Set<Int> = [0, 1, 2, 3]) {
        let (side, square, frames) = (ColouredSquares.side, ColouredSquares.square, ColouredSquares.frames)
        var random = RandomGenerator(seed: 11, stream: UInt64(number))
        self.label = label
        func path() -> [(row: Int, column: Int)] {
            let (from, to) = ((0..<2).map { _ in random.below(side - square) }, (0..<2).map { _ in random.below(side - square) })
            return (0..<frames).map { step in
                (from[0] + (to[0] - from[0]) * step / (frames - 1), from[1] + (to[1] - from[1]) * step / (frames - 1))
            }
        }
        let (grey, coloured) = (path(), path())
        centres = coloured.map { (Double($0.row) + Double(square) / 2, Double($0.column) + Double(square) / 2) }
        var pixels = (0..<frames * 3 * side * side).map { _ in UInt8(20 + random.below(30)) }
        for frame in 0..<frames {
            func fill(_ corner: (row: Int, column: Int), _ colour: [UInt8]) {
                for channel in 0..<3 {
                    for row in corner.row..<corner.row + square {
                        for column in corner.column..<corner.column + square {
                            pixels[((frame * 3 + channel) * side + row) * side + column] = colour[channel]
                        }
                    }
                }
            }
            fill(grey[frame], [120, 120, 120])
            if visible.contains(frame) { fill(coloured[frame], label == 0 ? [230, 60, 60] : [60, 60, 230]) }
        }
        self.pixels = pixels
    }

    var clip: LoadedClip { ColouredSquares.loaded(pixels) }

    /// With a square of background 12 pixels wide around a place of each frame.
    func occluded(_ places: [(row: Int, column: Int)]) -> LoadedClip {
        let side = ColouredSquares.side
        var pixels = pixels
        for (frame, place) in places.enumerated() {
            for channel in 0..<3 {
                for row in max(0, place.row - 6)..<min(side, place.row + 6) {
                    for column in max(0, place.column - 6)..<min(side, place.column + 6) {
                        pixels[((frame * 3 + channel) * side + row) * side + column] = 35
                    }
                }
            }
        }
        return ColouredSquares.loaded(pixels)
    }

    private static func loaded(_ pixels: [UInt8]) -> LoadedClip {
        let clip = Clip(shape: ClipShape(frames: frames, channels: 3, rows: side, columns: side), pixels: .bytes(pixels))
        return LoadedClip(clip: clip, validFrames: frames, sourceFrames: frames)
    }

    /// A small classifier that has learnt the colours: two seconds.
    static func trained() async throws -> Predictor {
        var configuration = RunConfiguration()
        configuration.seed = 3
        (configuration.model.input.frames, configuration.model.input.rows, configuration.model.input.columns) = (frames, side, side)
        configuration.model.cnn?.architecture = .blocks([[6], [8]])
        configuration.model.cnn?.weights = nil
        configuration.model.cnn?.trainable = .all
        configuration.model.recurrent = [.lstm(RecurrentOptions(units: 6))]
        configuration.model.hidden = []
        configuration.data.preprocessing = .symmetric
        configuration.training.epochs = 8
        configuration.training.batchSize = 8
        configuration.optimizer.learningRate = 0.01
        let folder = NSTemporaryDirectory() + "explain-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for label in 0..<2 {
            let name = folder + "/" + classes[label]
            try Folder.make(name)
            for number in 0..<40 {
                try ClipFile.write(ColouredSquares(label: label, number: 2 * number + label).clip.clip, to: name + "/\(100 + number).bin")
            }
        }
        let set = try DataSet.open(folder, split: .init(seed: 1, validation: 0.2, test: 0), classes: classes)
        let classifier = try Classifier(configuration.model, classes: set.classes)
        try classifier.initialize(seed: configuration.seed)
        let optimizer = try Optimizer(configuration.optimizer, classifier.parameters)
        let memory = try StepMemory(
            classifier, slots: optimizer.slots.count, batchSize: configuration.training.batchSize, threads: 2,
            budget: MemoryBudget(gibibytes: nil), activationLimit: .max)
        let loader = ClipLoader(configuration)
        let trainer = try Trainer(
            classifier, optimizer: optimizer, configuration: configuration,
            training: LabelledClips(set.entries(of: .train), loader: loader, keepingBytes: 1 << 24),
            validation: LabelledClips(set.entries(of: .validation), loader: loader, keepingBytes: 0), memory: memory,
            features: FeatureStorage(), workers: Workers(count: 2), state: TrainerState(seed: configuration.seed))
        _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
        return try Predictor(
            classifier, preprocessing: configuration.data.preprocessing, for: .explanation(samples: 1), loadedClips: 1,
            workers: Workers(count: 2))
    }
}
