import Testing
import VidModel
import VidTensor
import VidTestSupport

/// Convolution and pooling against PyTorch and Keras: outputs and gradients of input, kernel and bias.
@Suite struct GoldenVisionTests {
    /// Sums of up to 300 products of order one: rounding of 6e-8 grows by their square root to about 1e-6.
    static let tolerance = 3e-6

    struct ConvolutionCase: Sendable, CustomTestStringConvertible {
        let name: String
        var kernel = (rows: 3, columns: 3)
        var stride = (rows: 1, columns: 1)
        var padding = ConvolutionGeometry.Padding.same
        var relu = false

        var testDescription: String { name }
    }

    static let convolutions = [
        ConvolutionCase(name: "same_3x3_relu", relu: true),
        ConvolutionCase(name: "same_3x3_relu_wide", relu: true),
        ConvolutionCase(name: "same_3x3_pixel", relu: true),
        ConvolutionCase(name: "valid_5x3", kernel: (5, 3), padding: .valid),
        ConvolutionCase(name: "valid_5x3_stride_2", kernel: (5, 3), stride: (2, 2), padding: .valid),
        ConvolutionCase(name: "same_5x3_stride_2", kernel: (5, 3), stride: (2, 2)),
        ConvolutionCase(name: "same_2x4_stride_1x3", kernel: (2, 4), stride: (1, 3)),
        ConvolutionCase(name: "same_1x1_stride_2", kernel: (1, 1), stride: (2, 2), relu: true),
    ]

    @Test(arguments: convolutions)
    func convolution(_ test: ConvolutionCase) throws {
        let golden = try Golden.named("convolution")
        let kernel = try golden.tensor("\(test.name)/kernel").shape
        var layout = ParameterLayout()
        let layer = Conv2D(
            "conv", prefix: "golden", channels: kernel[2], filters: kernel[3], kernel: test.kernel, stride: test.stride,
            padding: test.padding, relu: test.relu, layout: &layout)
        let errors = try GoldenLayerCase(golden, test.name, layout).errors(layer)
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    @Test(arguments: ["max_2x2", "max_2x2_odd", "max_2x2_small"])
    func maxPooling(_ name: String) throws {
        let errors = try GoldenLayerCase(.named("pooling"), name, ParameterLayout()).errors(MaxPool2D("pool"))
        // A value is copied, a gradient moved: nothing is rounded.
        #expect(errors.worst <= 0, "\(errors)")
    }

    @Test func globalAveragePooling() throws {
        let errors = try GoldenLayerCase(.named("pooling"), "global_average", ParameterLayout()).errors(GlobalAveragePooling2D())
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    @Test func globalMaxPooling() throws {
        let errors = try GoldenLayerCase(.named("pooling"), "global_max", ParameterLayout()).errors(GlobalMaxPooling2D())
        #expect(errors.worst <= 0, "\(errors)")
    }
}
