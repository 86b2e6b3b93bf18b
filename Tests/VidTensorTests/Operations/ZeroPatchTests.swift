import Testing
import VidTensor
import VidTestSupport

/// Black bars, masked frames and lone pixels: an output whose 3x3 patch is zero in every channel is exactly the bias, an
/// input gradient whose patch of dOutput is zero is exactly 0, by Winograd as by im2col. A rounding error there would open
/// ReLUs that are shut. All other results are close.
@Suite struct ZeroPatchTests {
    /// Maps smaller than a tile and maps that end within one; channels that fill neither vectors nor panels; by blocks (few
    /// channels and filters) and by sections.
    private static let cases: [ConvolutionCase] =
        (1...7).map { ConvolutionCase("\($0) rows", .init(rows: $0, columns: 8 - $0, channels: 5, filters: 19)) } + [
            .init("one row", .init(rows: 1, columns: 13, channels: 16, filters: 16)),
            .init("blocks", .init(rows: 21, columns: 18, channels: 33, filters: 70)),
            .init("whole tiles", .init(rows: 16, columns: 12, channels: 64, filters: 64)),
            .init("sections", .init(rows: 13, columns: 10, channels: 130, filters: 260)),
            .init("small sections", .init(rows: 3, columns: 6, channels: 200, filters: 200)),
        ]

    /// Frames with zeros, and which 3x3 patches are all zero.
    private struct Maps {
        let tensor: Tensor
        private(set) var isZero: [Bool] = []

        /// One frame of each kind: bars above and below, bars at the sides, a lone value in the last channel of the middle, of
        /// a corner, blank with zeros of both signs, single positions here and there, and full.
        init(_ shape: Shape, _ tensors: inout TestTensors) {
            let (rows, columns, channels) = (shape[0], shape[1], shape[2])
            let shown: [(_ row: Int, _ column: Int) -> Bool] = [
                { row, _ in row >= rows / 3 && row < rows - rows / 3 },
                { _, column in column >= columns / 3 && column < columns - columns / 4 },
                { row, column in row == rows / 2 && column == columns / 2 },
                { row, column in row == rows - 1 && column == columns - 1 },
                { _, _ in false },
                { row, column in (7 * row + 5 * column) % 11 == 0 },
                { _, _ in true },
            ]
            tensor = tensors.uniform(shape.prepending(shown.count), -1, 1)
            for (frame, shown) in shown.enumerated() {
                for position in 0..<rows * columns {
                    let values = tensor.base + (frame * rows * columns + position) * channels
                    let isShown = shown(position / columns, position % columns)
                    for channel in 0..<channels {
                        // Half of the channels are zero, as after a ReLU; zeros have both signs.
                        let isKept = isShown && (frame == 2 || frame == 3 ? channel == channels - 1 : values[channel] > 0)
                        if !isKept { values[channel] = values[channel] > 0 ? 0 : -0.0 }
                    }
                }
            }
            for frame in 0..<shown.count {
                let start = tensor.base + frame * rows * columns * channels
                func isZero(_ row: Int, _ column: Int) -> Bool {
                    row < 0 || row >= rows || column < 0 || column >= columns
                        || (0..<channels).allSatisfy { start[(row * columns + column) * channels + $0] == 0 }
                }
                for position in 0..<rows * columns {
                    let (row, column) = (position / columns, position % columns)
                    self.isZero.append((row - 1...row + 1).allSatisfy { r in (column - 1...column + 1).allSatisfy { isZero(r, $0) } })
                }
            }
        }
    }

    /// Compares `found` with `expected`, maps of `channels`: equal at the places where `isZero`, close elsewhere.
    private func compare(
        _ found: Tensor, _ expected: Tensor, isZero: [Bool], _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let channels = found.count / isZero.count
        var unequal = 0
        for (position, isZero) in isZero.enumerated() where isZero {
            for i in position * channels..<(position + 1) * channels where !(found.base[i] == expected.base[i]) { unequal += 1 }
        }
        #expect(unequal == 0, comment, sourceLocation: sourceLocation)
        let error = relativeError(found.array, expected.array)
        #expect(error <= 2e-5, comment, sourceLocation: sourceLocation)
    }

    @Test(arguments: cases)
    func outputsOfZeroPatchesAreTheBias(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 1)
        let maps = Maps(g.inputShape, &tensors)
        let frames = maps.tensor.shape[0]
        #expect(maps.isZero.contains(true) && maps.isZero.contains(false))
        let kernel = tensors.uniform(g.kernelShape)
        let (workers, workspace) = (Workers(count: 2), garbageWorkspace())
        for bias in [tensors.zeros([g.filters]), tensors.uniform([g.filters])] {
            for relu in [false, true] {
                let (found, expected) = (tensors.nan(g.outputShape.prepending(frames)), tensors.nan(g.outputShape.prepending(frames)))
                for (algorithm, output) in [(Convolution.Algorithm.winograd, found), (.im2col, expected)] {
                    Convolution.forward(
                        g, algorithm, input: maps.tensor, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, output: output,
                        workers: workers,
                        workspace: workspace)
                }
                compare(found, expected, isZero: maps.isZero, "relu \(relu)")
                for (position, isZero) in maps.isZero.enumerated() where isZero {
                    let output = (0..<g.filters).map { found.base[position * g.filters + $0] }
                    #expect(output == bias.array.map { relu ? max(0, $0) : $0 }, "position \(position)")
                }
                guard g.rows > 1, g.columns > 1 else { continue }
                let pool = PoolingGeometry(rows: g.rows, columns: g.columns, channels: g.filters)
                let (pooled, pooledApart) = (
                    tensors.nan(pool.outputShape.prepending(frames)), tensors.nan(pool.outputShape.prepending(frames))
                )
                Convolution.forward(
                    g, .winograd, input: maps.tensor, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, isPooled: true,
                    output: pooled,
                    workers: workers, workspace: workspace)
                Pooling.maximum(pool, input: found, output: pooledApart, workers: workers)
                #expect(bits(pooled) == bits(pooledApart), "relu \(relu)")
            }
        }
    }

    @Test(arguments: cases)
    func inputGradientsOfZeroPatchesAreZero(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 2)
        let maps = Maps(g.outputShape, &tensors)
        let shape = g.inputShape.prepending(maps.tensor.shape[0])
        let kernel = tensors.uniform(g.kernelShape)
        let input = tensors.uniform(shape)
        let (workers, workspace) = (Workers(count: 2), garbageWorkspace())
        for gate in [nil, input] {
            let (found, expected) = (tensors.nan(shape), tensors.nan(shape))
            for (algorithm, dInput) in [(Convolution.Algorithm.winograd, found), (.im2col, expected)] {
                Convolution.inputGradient(
                    g, algorithm, dOutput: maps.tensor, kernel: kernel, gate: gate, dInput: dInput, workers: workers, workspace: workspace)
            }
            compare(found, expected, isZero: maps.isZero, "gated: \(gate != nil)")
            for (position, isZero) in maps.isZero.enumerated() where isZero {
                #expect((0..<g.channels).allSatisfy { found.base[position * g.channels + $0] == 0 }, "position \(position)")
            }
        }
    }

    /// The gradients of a channel that is zero everywhere and of a filter whose ReLU is shut everywhere are exactly 0.
    @Test(arguments: cases)
    func filterGradientsOfZerosAreZero(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 3)
        let (input, dOutput) = (Maps(g.inputShape, &tensors).tensor, Maps(g.outputShape, &tensors).tensor)
        for i in stride(from: 1, to: input.count, by: g.channels) { input.base[i] = 0 }
        for i in stride(from: 2, to: dOutput.count, by: g.filters) { dOutput.base[i] = 0 }
        let (workers, workspace) = (Workers(count: 2), garbageWorkspace())
        var gradients: [(dKernel: Tensor, dBias: Tensor)] = []
        for algorithm in [Convolution.Algorithm.winograd, .im2col] {
            let (dKernel, dBias) = (tensors.zeros(g.kernelShape), tensors.zeros([g.filters]))
            Convolution.filterGradient(
                g, algorithm, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: workspace)
            for i in 0..<dKernel.count where i / g.filters % g.channels == 1 || i % g.filters == 2 { #expect(dKernel.base[i] == 0) }
            #expect(dBias.base[2] == 0)
            gradients.append((dKernel, dBias))
        }
        let errors = (
            relativeError(gradients[0].dKernel.array, gradients[1].dKernel.array),
            relativeError(gradients[0].dBias.array, gradients[1].dBias.array)
        )
        #expect(errors.0 <= 2e-5)
        #expect(errors.1 <= 2e-5)
    }

    /// Two thirds of the taps see nothing but padding where the map has one row or one column: their gradient is exactly 0.
    @Test(arguments: [(1, 16), (16, 1)])
    func tapsOverPaddingHaveNoGradient(_ rows: Int, _ columns: Int) {
        let g = ConvolutionGeometry(rows: rows, columns: columns, channels: 16, filters: 16)
        var tensors = TestTensors(seed: 4)
        let (input, dOutput) = (tensors.uniform(g.inputShape.prepending(2)), tensors.uniform(g.outputShape.prepending(2)))
        for preferred in [nil, Convolution.Algorithm.winograd] {
            let dKernel = tensors.zeros(g.kernelShape)
            Convolution.filterGradient(
                g, Convolution.filterGradientAlgorithm(for: g, preferring: preferred), input: input, dOutput: dOutput, dKernel: dKernel,
                workers: Workers(count: 2), workspace: garbageWorkspace())
            for (i, value) in dKernel.array.enumerated() {
                let tap = i / (16 * 16)
                let isOverMap = rows == 1 ? tap / 3 == 1 : tap % 3 == 1
                #expect((value != 0) == isOverMap)
            }
        }
    }

    /// Neither the number of threads nor the number of frames in a call shows in the bits.
    @Test(arguments: cases.suffix(4))
    func bitsDependOnNeitherThreadsNorFrames(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 5)
        let maps = Maps(g.inputShape, &tensors).tensor
        let frames = maps.shape[0]
        let (kernel, bias) = (tensors.uniform(g.kernelShape), tensors.zeros([g.filters]))
        var first: [UInt32]?
        for (threads, step) in [(1, frames), (2, frames), (3, frames), (2, 1), (1, 3)] {
            let (workers, workspace) = (Workers(count: threads), garbageWorkspace())
            let output = tensors.nan(g.outputShape.prepending(frames))
            for start in stride(from: 0, to: frames, by: step) {
                let range = start..<min(frames, start + step)
                Convolution.forward(
                    g, .winograd, input: maps.rows(range), kernel: kernel, bias: bias, activation: .relu, output: output.rows(range),
                    workers: workers, workspace: workspace)
            }
            #expect(bits(output) == first ?? bits(output), "\(threads) threads, \(step) frames a call")
            first = first ?? bits(output)
        }
    }

    /// Filters with NaN or an infinite number show over zero patches too, as by im2col.
    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func filtersThatAreNoNumbersShow(_ value: Float) {
        let g = ConvolutionGeometry(rows: 9, columns: 6, channels: 16, filters: 20)
        var tensors = TestTensors(seed: 6)
        let input = tensors.zeros(g.inputShape.prepending(1))
        let (kernel, bias) = (tensors.uniform(g.kernelShape), tensors.uniform([20]))
        kernel.base[(4 * 16 + 3) * 20 + 7] = value
        for algorithm in Convolution.Algorithm.allCases {
            let output = tensors.zeros(g.outputShape.prepending(1))
            Convolution.forward(
                g, algorithm, input: input, kernel: kernel, bias: bias, activation: .relu, output: output, workers: Workers(count: 1),
                workspace: garbageWorkspace())
            for (i, found) in output.array.enumerated() {
                let isRight = i % 20 == 7 ? found.isNaN : found == max(0, bias.base[i % 20])
                #expect(isRight, "\(algorithm), \(i)")
            }
        }
    }
}
