import VidConfig
import VidSystem

/// Weights that `vidclass weights fetch` can download, as Keras publishes them.
package struct WeightsSource: Sendable {
    /// The user's name for them, which is the architecture's.
    package let name: String
    package let architecture: Architecture
    package let fileName: String
    /// The path below the server's address.
    package let path: String
    /// The file's MD5 in hexadecimal digits, as published in `keras.applications`; nil if none is published.
    package let md5: String?
    /// The most bytes to download.
    package let maximumBytes: Int
    /// The name of Keras's file that also holds the classifier.
    package let nameWithTop: String?

    package init(
        name: String, architecture: Architecture, fileName: String, path: String, md5: String?, maximumBytes: Int,
        nameWithTop: String? = nil
    ) {
        self.name = name
        self.architecture = architecture
        self.fileName = fileName
        self.path = path
        self.md5 = md5
        self.maximumBytes = maximumBytes
        self.nameWithTop = nameWithTop
    }

    private init(keras network: NamedArchitecture, folder: String, _ start: String, noTop: String, top: String, md5: String?) {
        self.init(
            name: network.rawValue, architecture: .named(network), fileName: start + noTop + ".h5", path: "\(folder)/\(start)\(noTop).h5",
            md5: md5, maximumBytes: 128 << 20, nameWithTop: start + top + ".h5")
    }

    private init(keras network: NamedArchitecture, folder: String, _ name: String, md5: String) {
        self.init(
            keras: network, folder: folder, "\(name)_weights_tf_dim_ordering_tf_kernels", noTop: "_notop", top: "", md5: md5)
    }

    package static let all = [
        WeightsSource(keras: .vgg16, folder: "vgg16", "vgg16", md5: "6d6bbae143d832006294945121d1f1fc"),
        WeightsSource(keras: .vgg19, folder: "vgg19", "vgg19", md5: "253f8cb515780f3b799900260a226db6"),
        WeightsSource(keras: .resnet50Keras, folder: "resnet", "resnet50", md5: "4d473c1dd8becc155b73f8504c6f6626"),
        WeightsSource(
            keras: .mobilenetV2Keras, folder: "mobilenet_v2", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224", noTop: "_no_top",
            top: "", md5: nil),
    ]

    /// The source named `name`.
    package static func named(_ name: String) -> WeightsSource? { all.first { $0.name == name } }

    /// The names of Keras's files for `architecture`, without and with the classifier.
    static func fileNames(_ architecture: Architecture) -> [String] {
        all.filter { $0.architecture == architecture }.flatMap { [$0.fileName, $0.nameWithTop].compactMap(\.self) }
    }

    /// Where Keras publishes them.
    package static let server = "https://storage.googleapis.com/tensorflow/keras-applications"
}

/// Weights that Python's packages download and save.
package struct PythonWeights: Sendable {
    package let architecture: NamedArchitecture
    /// `torchvision` or `timm`.
    package let package: String
    /// The package's name of the model.
    package let model: String
    /// The name of the published file.
    package let fileName: String

    /// The weights of a network that `weights fetch` does not download; nil if it does.
    package init?(_ network: NamedArchitecture) {
        architecture = network
        if let fileName = PythonWeights.torchvision[network] {
            (package, model, self.fileName) = ("torchvision", network.rawValue, fileName)
        } else if let model = PythonWeights.timm[network] {
            (package, self.model, fileName) = ("timm", model, "model.safetensors of https://huggingface.co/timm/\(model)")
        } else {
            return nil
        }
    }

    /// The shell command that saves them as `file`.
    package func command(_ file: String) -> String {
        let weights =
            package == "timm"
            ? "timm.create_model(\"\(model)\", pretrained=True)"
            : "torchvision.models.get_model(\"\(model)\", weights=\"IMAGENET1K_V1\")"
        return "python3 -c '"
            + "import \(package), safetensors.torch; safetensors.torch.save_file(\(weights).state_dict(), \"\(file)\")'"
    }

    /// The files of torchvision's `IMAGENET1K_V1`, as its documentation and source name them.
    private static let torchvision: [NamedArchitecture: String] = [
        .vgg11: "vgg11-8a719046.pth", .vgg13: "vgg13-19584684.pth", .vgg11BN: "vgg11_bn-6002323d.pth", .vgg13BN: "vgg13_bn-abd245e5.pth",
        .vgg16BN: "vgg16_bn-6c64b313.pth", .vgg19BN: "vgg19_bn-c79401a0.pth", .resnet18: "resnet18-f37072fd.pth",
        .resnet34: "resnet34-b627a593.pth", .resnet50: "resnet50-0676ba61.pth", .resnet101: "resnet101-63fe2227.pth",
        .mobilenetV2: "mobilenet_v2-b0353104.pth", .mobilenetV3Small: "mobilenet_v3_small-047dcff4.pth",
        .mobilenetV3Large: "mobilenet_v3_large-8738ca79.pth", .efficientnetB0: "efficientnet_b0_rwightman-7f5810bc.pth",
        .efficientnetB1: "efficientnet_b1_rwightman-bac287d4.pth", .efficientnetB2: "efficientnet_b2_rwightman-c35c1473.pth",
        .efficientnetB3: "efficientnet_b3_rwightman-b3899882.pth",
    ]

    private static let timm: [NamedArchitecture: String] = [
        .tfEfficientnetB0: "tf_efficientnet_b0.ns_jft_in1k", .tfEfficientnetB1: "tf_efficientnet_b1.ns_jft_in1k",
        .tfEfficientnetB2: "tf_efficientnet_b2.ns_jft_in1k", .tfEfficientnetB3: "tf_efficientnet_b3.ns_jft_in1k",
        .efficientnetLite0: "tf_efficientnet_lite0.in1k", .efficientnetLite1: "tf_efficientnet_lite1.in1k",
        .efficientnetLite2: "tf_efficientnet_lite2.in1k", .efficientnetLite3: "tf_efficientnet_lite3.in1k",
        .efficientnetLite4: "tf_efficientnet_lite4.in1k", .timmEfficientnetLite0: "efficientnet_lite0.ra_in1k",
    ]
}
