import Foundation
import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Every optimizer against a plain double-precision loop over 20 steps, and their common properties.
@Suite struct OptimizerTests {
    private static func configuration(_ type: OptimizerType, _ change: (inout OptimizerConfiguration) -> Void = { _ in })
        -> OptimizerConfiguration
    {
        var configuration = OptimizerConfiguration(type: type)
        configuration.learningRate = 0.01
        change(&configuration)
        return configuration
    }

    static let configurations: [OptimizerConfiguration] = [
        configuration(.nadam),
        configuration(.nadam) {
            $0.clipNorm = 0.5
            $0.weightDecay = 0.1
        },
        configuration(.adam),
        configuration(.adam) { $0.weightDecay = 0.25 },
        configuration(.adam) {
            $0.weightDecay = 0.25
            $0.excludeFromWeightDecay = ["bias", "gamma", "beta"]
        },
        configuration(.nadam) {
            $0.weightDecay = 0.5
            $0.excludeFromWeightDecay = ["dense/"]
        },
        configuration(.sgd),
        configuration(.sgd) { $0.clipNorm = 2 },
        configuration(.sgd) { $0.momentum = 0.9 },
        configuration(.sgd) {
            $0.momentum = 0.9
            $0.nesterov = true
            $0.weightDecay = 0.1
        },
        configuration(.sgd) {
            $0.weightDecay = 0.5
            $0.excludeFromWeightDecay = ["output"]
        },
        configuration(.rmsprop),
        configuration(.rmsprop) {
            $0.momentum = 0.5
            $0.clipNorm = 1
        },
    ]

    /// A store of trained parameters around a frozen one.
    private func makeStore() throws -> ParameterStore {
        var layout = ParameterLayout()
        _ = layout.add("dense/kernel", [17, 3], .zeros)
        _ = layout.add("dense/bias", [3], .zeros)
        _ = layout.add("norm/gamma", [5], .ones)
        _ = layout.add("frozen", [5], .ones, trainable: false)
        _ = layout.add("norm/beta", [5], .zeros)
        _ = layout.add("output/kernel", [1000], .zeros)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 31)
        for slice in store.slices {
            let value = store.value(slice)
            for i in 0..<value.count { value.base[i] = random.uniform(-1, 1) }
        }
        return store
    }

    /// Gradients of a step: different in size from step to step and from weight to weight.
    private func setGradients(_ store: ParameterStore, step: Int) {
        var random = RandomGenerator(seed: 32, stream: UInt64(step))
        for slice in store.slices {
            guard let gradient = store.gradient(slice) else { continue }
            for i in 0..<gradient.count { gradient.base[i] = random.normal() * Float(1 + i % 7) * 0.01 }
        }
    }

    /// The rules as their sources state them, one weight at a time. `names` has the name of each weight's parameter.
    private func reference(
        _ c: OptimizerConfiguration, _ p: inout [Double], names: [String], _ gradients: (Int) -> [Double], steps: Int
    ) -> Double {
        var m = [Double](repeating: 0, count: p.count)
        var v = m
        var schedule = 1.0
        for t in 1...steps {
            var g = gradients(t)
            let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if let clip = c.clipNorm, norm > Double(clip) { g = g.map { $0 * Double(clip) / norm } }
            let mu = c.beta1 * (1 - 0.5 * pow(0.96, Double(t) * c.scheduleDecay))
            let muNext = c.beta1 * (1 - 0.5 * pow(0.96, Double(t + 1) * c.scheduleDecay))
            schedule *= mu
            for i in p.indices {
                if !c.excludeFromWeightDecay.contains(where: names[i].contains) { p[i] -= c.learningRate * Double(c.weightDecay) * p[i] }
                switch c.type {
                case .nadam:
                    let gPrime = g[i] / (1 - schedule)
                    m[i] = c.beta1 * m[i] + (1 - c.beta1) * g[i]
                    let mPrime = m[i] / (1 - schedule * muNext)
                    v[i] = c.beta2 * v[i] + (1 - c.beta2) * g[i] * g[i]
                    let vPrime = v[i] / (1 - pow(c.beta2, Double(t)))
                    p[i] -= c.learningRate * ((1 - mu) * gPrime + muNext * mPrime) / (vPrime.squareRoot() + c.epsilon)
                case .adam:
                    m[i] = c.beta1 * m[i] + (1 - c.beta1) * g[i]
                    v[i] = c.beta2 * v[i] + (1 - c.beta2) * g[i] * g[i]
                    let rate = c.learningRate * (1 - pow(c.beta2, Double(t))).squareRoot() / (1 - pow(c.beta1, Double(t)))
                    p[i] -= rate * m[i] / (v[i].squareRoot() + c.epsilon)
                case .sgd:
                    m[i] = c.momentum * m[i] - c.learningRate * g[i]
                    p[i] += c.nesterov ? c.momentum * m[i] - c.learningRate * g[i] : m[i]
                case .rmsprop:
                    v[i] = c.rho * v[i] + (1 - c.rho) * g[i] * g[i]
                    m[i] = c.momentum * m[i] + c.learningRate * g[i] / (v[i] + c.epsilon).squareRoot()
                    p[i] -= m[i]
                }
            }
        }
        return schedule
    }

    @Test(arguments: configurations)
    func agreesWithTheRule(_ configuration: OptimizerConfiguration) throws {
        let store = try makeStore()
        let optimizer = try Optimizer(configuration, store)
        #expect(optimizer.slots.count == configuration.slotCount)
        var state = OptimizerState()
        let workers = Workers(count: 2)
        let trainable = store.slices.filter(\.isTrainable)
        let frozen = try #require(store.slice(named: "frozen"))
        let frozenBefore = store.value(frozen).array
        var expected = trainable.flatMap { store.value($0).array.map(Double.init) }
        let version = store.version
        for step in 1...20 {
            setGradients(store, step: step)
            #expect(optimizer.step(store, &state, workers))
        }
        let schedule = reference(
            configuration, &expected, names: trainable.flatMap { Array(repeating: $0.name, count: $0.count) },
            { step in
                setGradients(store, step: step)
                return trainable.flatMap { store.gradient($0)?.array.map(Double.init) ?? [] }
            }, steps: 20)
        // 20 updates of about 0.01 in single precision on weights of order one: rounding of 6e-8 each.
        #expect(relativeError(trainable.flatMap { store.value($0).array }, expected) <= 2e-6)
        #expect(store.value(frozen).array == frozenBefore)
        #expect(state.step == 20)
        #expect(store.version == version + 20)
        if configuration.type == .nadam { #expect(abs(state.momentumSchedule - schedule) <= 1e-15) }
    }

    @Test(arguments: configurations)
    func theSameBitsAtAnyThreadCount(_ configuration: OptimizerConfiguration) throws {
        func run(_ threads: Int) throws -> [Float] {
            var layout = ParameterLayout()
            _ = layout.add("a", [70_001], .zeros)
            let store = try ParameterStore(layout)
            let optimizer = try Optimizer(configuration, store)
            var state = OptimizerState()
            let workers = Workers(count: threads)
            for step in 1...3 {
                setGradients(store, step: step)
                #expect(optimizer.step(store, &state, workers))
            }
            return store.value(store.slices[0]).array
        }
        let one = try run(1)
        #expect(one.allSatisfy { $0.isFinite })
        for threads in [2, 3] { #expect(try run(threads) == one) }
    }

    /// An update that clears the gradients is the same to the bit. The next step adds to zeros, whoever has set them.
    @Test(arguments: configurations)
    func clearsGradientsAfterTheirUse(_ configuration: OptimizerConfiguration) throws {
        func run(clearing: Bool) throws -> [[Float]] {
            let store = try makeStore()
            let optimizer = try Optimizer(configuration, store)
            var state = OptimizerState()
            let gradients = store.gradients.tensor([store.gradients.count])
            for step in 1...3 {
                store.zeroGradients()
                #expect(gradients.array.allSatisfy { $0 == 0 })
                setGradients(store, step: step)
                let before = gradients.array
                #expect(optimizer.step(store, &state, Workers(count: 2), clearsGradients: clearing))
                #expect(gradients.array == (clearing ? before.map { _ in 0 } : before))
            }
            return ([store.values] + optimizer.slots.map(\.values)).map { $0.tensor([$0.count]).array }
        }
        #expect(try run(clearing: true) == run(clearing: false))
    }

    /// Stopped after 7 of 20 steps, its state through JSON and its slots copied: the same bits.
    @Test(arguments: configurations)
    func goesOnFromASavedState(_ configuration: OptimizerConfiguration) throws {
        let workers = Workers(count: 1)
        let (whole, first, second) = (try makeStore(), try makeStore(), try makeStore())
        let optimizers = try [whole, first, second].map { try Optimizer(configuration, $0) }
        var (wholeState, firstState) = (OptimizerState(), OptimizerState())
        for step in 1...20 {
            setGradients(whole, step: step)
            _ = optimizers[0].step(whole, &wholeState, workers)
        }
        for step in 1...7 {
            setGradients(first, step: step)
            _ = optimizers[1].step(first, &firstState, workers)
        }
        var secondState = try JSONDecoder().decode(OptimizerState.self, from: JSONEncoder().encode(firstState))
        #expect(secondState == firstState)
        second.values.tensor([second.values.count]).copy(from: first.values.tensor([first.values.count]))
        for (from, to) in zip(optimizers[1].slots, optimizers[2].slots) {
            #expect(from.name == to.name)
            to.values.tensor([to.values.count]).copy(from: from.values.tensor([from.values.count]))
        }
        for step in 8...20 {
            setGradients(second, step: step)
            _ = optimizers[2].step(second, &secondState, workers)
        }
        #expect(second.values.tensor([second.values.count]).array == whole.values.tensor([whole.values.count]).array)
        #expect(secondState == wholeState)
    }

    @Test func aGradientThatIsNotFiniteChangesNothing() throws {
        let store = try makeStore()
        let optimizer = try Optimizer(OptimizerConfiguration(), store)
        var state = OptimizerState()
        let before = store.values.tensor([store.values.count]).array
        for bad in [Float.nan, .infinity] {
            setGradients(store, step: 1)
            store.gradients.base[1000] = bad
            #expect(!optimizer.step(store, &state, Workers(count: 2)))
        }
        #expect(store.values.tensor([store.values.count]).array == before)
        #expect(state == OptimizerState())
        #expect(optimizer.slots.allSatisfy { slot in slot.values.tensor([slot.values.count]).array.allSatisfy { $0 == 0 } })
    }

    /// Without gradients, plain SGD only decays weights.
    @Test func excludedParametersOfAModelDoNotDecay() throws {
        var model = ModelConfiguration()
        (model.input.frames, model.input.rows, model.input.columns) = (2, 8, 8)
        model.cnn?.architecture = .blocks([[3]])
        model.cnn?.weights = nil
        model.cnn?.trainable = .all
        model.recurrent = [.batchNormalization(.init()), .lstm(RecurrentOptions(units: 3)), .gru(RecurrentOptions(units: 4))]
        let classifier = try Classifier(model, classes: ["a", "b"])
        let parameters = classifier.parameters
        try classifier.initialize(seed: 1)
        let before = parameters.slices.map { parameters.value($0).array }
        let configuration = OptimizerTests.configuration(.sgd) {
            $0.weightDecay = 0.5
            $0.excludeFromWeightDecay = ["bias", "gamma", "beta"]
        }
        var state = OptimizerState()
        #expect(try Optimizer(configuration, parameters).step(parameters, &state, Workers(count: 2)))
        for (slice, before) in zip(parameters.slices, before) {
            let decays = slice.name.hasSuffix("kernel")
            #expect(parameters.value(slice).array == before.map { $0 * (decays ? Float(1 - 0.01 * 0.5) : 1) }, "\(slice.name)")
        }
    }

    /// An exclusion that matches no parameter, or all of them, is the same as none, or as no decay: to the bit.
    @Test(arguments: zip([["nothing"], ["/"]], [Float(0.5), 0]))
    func exclusionOfNoneAndAll(_ excluded: [String], _ decay: Float) throws {
        func run(_ change: (inout OptimizerConfiguration) -> Void) throws -> [Float] {
            let store = try makeStore()
            let optimizer = try Optimizer(OptimizerTests.configuration(.nadam, change), store)
            var state = OptimizerState()
            for step in 1...3 {
                setGradients(store, step: step)
                #expect(optimizer.step(store, &state, Workers(count: 2)))
            }
            return store.values.tensor([store.values.count]).array
        }
        let found = try run {
            $0.weightDecay = 0.5
            $0.excludeFromWeightDecay = excluded
        }
        #expect(try found == run { $0.weightDecay = decay })
    }

    @Test func aStepsOwnLearningRate() throws {
        let (a, b) = (try makeStore(), try makeStore())
        var (aState, bState) = (OptimizerState(), OptimizerState())
        setGradients(a, step: 1)
        setGradients(b, step: 1)
        let workers = Workers(count: 1)
        _ = try Optimizer(OptimizerTests.configuration(.adam) { $0.learningRate = 0.5 }, a).step(a, &aState, workers, learningRate: 0.01)
        _ = try Optimizer(OptimizerTests.configuration(.adam), b).step(b, &bState, workers)
        #expect(a.values.tensor([a.values.count]).array == b.values.tensor([b.values.count]).array)
    }
}
