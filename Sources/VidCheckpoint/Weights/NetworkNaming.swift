import VidConfig

/// The names under which other programs save the layers of a network.
package enum NetworkNaming: CaseIterable, Sendable {
    /// torchvision's modules; also timm's ResNets.
    case torchvision
    /// timm's EfficientNets and MobileNetV2.
    case timm
    /// The package efficientnet-lite-pytorch, whose names are those of EfficientNet-PyTorch.
    case efficientNetPyTorch

    /// The module for each of our layers that has parameters; nil if this program has no such network.
    func modules(_ architecture: NamedArchitecture) -> [String: String]? {
        let stages = Stages(architecture.layers)
        switch (self, architecture) {
        case (.torchvision, .resnet18), (.torchvision, .resnet34), (.torchvision, .resnet50), (.torchvision, .resnet101):
            return NetworkNaming.resnet(stages.names)
        case (.torchvision, .vgg11BN), (.torchvision, .vgg13BN), (.torchvision, .vgg16BN), (.torchvision, .vgg19BN):
            return NetworkNaming.vgg(architecture.layers)
        case (.torchvision, .mobilenetV2):
            return stages.numbered(stem: "features.0", top: "features.18") { stage, unit, isExpanded in
                // The activation is within the module of a convolution, but the last has none.
                let block = "features.\(stage).conv"
                let first = isExpanded ? 1 : 0
                return switch unit {
                case .expand: ("\(block).0.0", "\(block).0.1")
                case .depthwise: ("\(block).\(first).0", "\(block).\(first).1")
                case .project: ("\(block).\(first + 1)", "\(block).\(first + 2)")
                case .squeeze: nil
                }
            }
        case (.torchvision, .mobilenetV3Small), (.torchvision, .mobilenetV3Large):
            return stages.numbered(stem: "features.0", top: "features.\(stages.blocks.count + 1)") { stage, unit, isExpanded in
                NetworkNaming.torchUnit("features.\(stage).block", unit, isExpanded, squeezes: stages.blocks[stage - 1].squeezes)
            }
        case (.torchvision, .efficientnetB0), (.torchvision, .efficientnetB1), (.torchvision, .efficientnetB2),
            (.torchvision, .efficientnetB3):
            return stages.staged(stem: "features.0", top: "features.8") { stage, index, unit, isExpanded in
                NetworkNaming.torchUnit("features.\(stage).\(index).block", unit, isExpanded, squeezes: true)
            }
        case (.timm, .efficientnetB0), (.timm, .efficientnetB1), (.timm, .efficientnetB2), (.timm, .efficientnetB3),
            (.timm, .tfEfficientnetB0), (.timm, .tfEfficientnetB1), (.timm, .tfEfficientnetB2), (.timm, .tfEfficientnetB3),
            (.timm, .efficientnetLite0), (.timm, .efficientnetLite1), (.timm, .efficientnetLite2), (.timm, .efficientnetLite3),
            (.timm, .efficientnetLite4), (.timm, .timmEfficientnetLite0):
            return stages.staged(stem: ("conv_stem", "bn1"), top: ("conv_head", "bn2")) { stage, index, unit, isExpanded in
                let block = "blocks.\(stage - 1).\(index)"
                return switch unit {
                case .expand: ("\(block).conv_pw", "\(block).bn1")
                case .depthwise: ("\(block).conv_dw", isExpanded ? "\(block).bn2" : "\(block).bn1")
                case .squeeze: ("\(block).se.conv_reduce", "\(block).se.conv_expand")
                case .project: isExpanded ? ("\(block).conv_pwl", "\(block).bn3") : ("\(block).conv_pw", "\(block).bn2")
                }
            }
        case (.efficientNetPyTorch, .efficientnetLite0), (.efficientNetPyTorch, .efficientnetLite1),
            (.efficientNetPyTorch, .efficientnetLite2), (.efficientNetPyTorch, .efficientnetLite3),
            (.efficientNetPyTorch, .efficientnetLite4):
            return stages.numbered(stem: ("_conv_stem", "_bn0"), top: ("_conv_head", "_bn1")) { stage, unit, _ in
                let block = "_blocks.\(stage - 1)"
                return switch unit {
                case .expand: ("\(block)._expand_conv", "\(block)._bn0")
                case .depthwise: ("\(block)._depthwise_conv", "\(block)._bn1")
                case .squeeze: ("\(block)._se_reduce", "\(block)._se_expand")
                case .project: ("\(block)._project_conv", "\(block)._bn2")
                }
            }
        default: return nil
        }
    }

    /// A unit of torchvision's MobileNetV3 and EfficientNet: modules numbered through the block.
    private static func torchUnit(_ block: String, _ unit: Stages.Unit, _ isExpanded: Bool, squeezes: Bool) -> (String, String)? {
        let depthwise = isExpanded ? 1 : 0
        return switch unit {
        case .expand: ("\(block).0.0", "\(block).0.1")
        case .depthwise: ("\(block).\(depthwise).0", "\(block).\(depthwise).1")
        case .squeeze: ("\(block).\(depthwise + 1).fc1", "\(block).\(depthwise + 1).fc2")
        case .project: ("\(block).\(depthwise + (squeezes ? 2 : 1)).0", "\(block).\(depthwise + (squeezes ? 2 : 1)).1")
        }
    }

    /// `conv3_block2_1_conv` is `layer2.1.conv1`, and `_0_` the shortcut.
    private static func resnet(_ names: [String]) -> [String: String] {
        var modules = ["conv1_conv": "conv1", "conv1_bn": "bn1"]
        for name in names where name.contains("_block") {
            let parts = name.split(separator: "_")
            guard parts.count == 4, let stage = Int(parts[0].dropFirst(4)), let block = Int(parts[1].dropFirst(5)) else { continue }
            let unit = "layer\(stage - 1).\(block - 1)"
            modules[name] =
                parts[2] == "0" ? "\(unit).downsample.\(parts[3] == "conv" ? 0 : 1)" : "\(unit).\(parts[3])\(parts[2])"
        }
        return modules
    }

    /// Modules are counted through the network: convolution, normalisation, ReLU, and a pooling behind each block.
    private static func vgg(_ layers: [CNNLayer]) -> [String: String] {
        var modules: [String: String] = [:]
        var index = 0
        for layer in layers {
            modules[layer.name ?? ""] = "features.\(index)"
            if case .batchNormalization = layer { index += 1 }
            index += 1
        }
        return modules
    }
}

extension NetworkNaming {
    /// The networks to whose layers Keras and this program give the same names, and the preprocessing of Keras's weights.
    static let keras: [(architecture: NamedArchitecture, preprocessing: PreprocessingName)] = [
        (.resnet50Keras, .caffe), (.mobilenetV2Keras, .symmetric),
    ]

    /// The names of their layers that have weights.
    static let kerasLayers = Set(keras.flatMap { Architecture.named($0.architecture).trainedNames })
}

/// The stem, blocks and top of a network of inverted residuals, by our layers' names.
private struct Stages {
    enum Unit { case expand, depthwise, squeeze, project }

    struct Block {
        var expand: [String] = []
        var depthwise: [String] = []
        var squeeze: [String] = []
        var project: [String] = []
        var filters = 0
        var strides: MapExtent = 1
        var squeezes: Bool { !squeeze.isEmpty }
    }

    /// The names of the layers with parameters.
    let names: [String]
    private(set) var blocks: [Block] = []
    /// The names of a convolution and its normalisation.
    private var stem: [String] = []
    private var top: [String] = []

    init(_ layers: [CNNLayer]) {
        names = layers.flatMap { Stages.flat([$0]) }.compactMap { $0.name }
        var block = Block()
        var pending: [String] = []
        for layer in Stages.flat(layers) {
            let name = layer.name ?? ""
            switch layer {
            case .convolution(let options):
                if !block.depthwise.isEmpty {
                    block.project = [name]
                    block.filters = options.filters
                } else {
                    pending = [name]
                }
            case .depthwiseConvolution(let options):
                (block.expand, pending) = (pending, [])
                block.depthwise = [name]
                block.strides = options.strides
            case .squeezeExcite: block.squeeze = ["\(name)_reduce", "\(name)_expand"]
            case .batchNormalization:
                if !block.project.isEmpty {
                    block.project.append(name)
                    blocks.append(block)
                    block = Block()
                } else if !block.depthwise.isEmpty {
                    block.depthwise.append(name)
                } else {
                    pending.append(name)
                    // The stem is complete before the first block's expansion.
                    if stem.isEmpty { (stem, pending) = (pending, []) }
                }
            default: break
            }
        }
        top = pending
    }

    /// The layers without the residual layers around them.
    private static func flat(_ layers: [CNNLayer]) -> [CNNLayer] {
        layers.flatMap { layer in
            if case .residual(let options) = layer { flat(options.shortcut) + flat(options.layers) } else { [layer] }
        }
    }

    typealias Pair = (String, String)

    /// The modules where blocks are counted from 1 through the network.
    func numbered(stem: String, top: String, _ module: (Int, Unit, Bool) -> Pair?) -> [String: String] {
        numbered(stem: ("\(stem).0", "\(stem).1"), top: ("\(top).0", "\(top).1"), module)
    }

    func numbered(stem: Pair, top: Pair, _ module: (Int, Unit, Bool) -> Pair?) -> [String: String] {
        var modules = named(stem, self.stem).merging(named(top, self.top)) { $1 }
        for (index, block) in blocks.enumerated() {
            let isExpanded = !block.expand.isEmpty
            for (unit, names) in [
                (Unit.expand, block.expand), (.depthwise, block.depthwise), (.squeeze, block.squeeze), (.project, block.project),
            ]
            where !names.isEmpty {
                if let pair = module(index + 1, unit, isExpanded) { modules.merge(named(pair, names)) { $1 } }
            }
        }
        return modules
    }

    /// The modules where blocks are counted from 0 within stages, which are counted from 1: a stage's blocks have the same filters and
    /// only the first may have a stride, as in EfficientNets.
    func staged(stem: String, top: String, _ module: (Int, Int, Unit, Bool) -> Pair?) -> [String: String] {
        staged(stem: ("\(stem).0", "\(stem).1"), top: ("\(top).0", "\(top).1"), module)
    }

    func staged(stem: Pair, top: Pair, _ module: (Int, Int, Unit, Bool) -> Pair?) -> [String: String] {
        var places: [(stage: Int, index: Int)] = []
        for (number, block) in blocks.enumerated() {
            let isNext = number == 0 || block.filters != blocks[number - 1].filters || block.strides != 1
            let last = places.last ?? (0, 0)
            places.append(isNext ? (last.stage + 1, 0) : (last.stage, last.index + 1))
        }
        return numbered(stem: stem, top: top) { number, unit, isExpanded in
            module(places[number - 1].stage, places[number - 1].index, unit, isExpanded)
        }
    }

    private func named(_ pair: Pair, _ names: [String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: zip(names, [pair.0, pair.1]))
    }
}
