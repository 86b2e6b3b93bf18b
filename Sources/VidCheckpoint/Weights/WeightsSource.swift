import VidConfig
import VidSystem

/// Weights that `vidclass weights fetch` can download, as Keras publishes them.
package struct WeightsSource: Sendable {
    /// The user's name for them, such as `vgg16`.
    package let name: String
    package let architecture: Architecture
    package let fileName: String
    /// The path below the server's address.
    package let path: String
    /// The file's MD5 in hexadecimal digits, as published in `keras.applications`.
    package let md5: String
    /// The most bytes to download.
    package let maximumBytes: Int

    package init(name: String, architecture: Architecture, fileName: String, path: String, md5: String, maximumBytes: Int) {
        self.name = name
        self.architecture = architecture
        self.fileName = fileName
        self.path = path
        self.md5 = md5
        self.maximumBytes = maximumBytes
    }

    private init(keras name: String, _ architecture: Architecture, md5: String) {
        let fileName = "\(name)_weights_tf_dim_ordering_tf_kernels_notop.h5"
        self.init(
            name: name, architecture: architecture, fileName: fileName, path: "\(name)/\(fileName)", md5: md5, maximumBytes: 128 << 20)
    }

    package static let all = [
        WeightsSource(keras: "vgg16", .vgg16, md5: "6d6bbae143d832006294945121d1f1fc"),
        WeightsSource(keras: "vgg19", .vgg19, md5: "253f8cb515780f3b799900260a226db6"),
    ]

    /// The source named `name`.
    package static func named(_ name: String) -> WeightsSource? { all.first { $0.name == name } }

    /// Where Keras publishes them.
    package static let server = "https://storage.googleapis.com/tensorflow/keras-applications"
}
