extension Convolution {
    /// How the products are computed.
    package enum Algorithm: String, Sendable, CaseIterable {
        /// Rows of the im2col matrix, a block of output positions at a time, times the kernel as a matrix.
        case im2col
        /// Winograd's F(4x4, 3x3): a quarter of the multiplications, for 3x3 kernels with stride 1 and same padding.
        case winograd
    }

    /// The algorithm of the forward pass and of the input gradient: `preferred` where it can be, or the faster one when
    /// that is nil.
    package static func algorithm(for g: ConvolutionGeometry, preferring preferred: Algorithm? = nil) -> Algorithm {
        choose(g, preferred, isFasterByWinograd)
    }

    /// The algorithm of the filter gradient.
    package static func filterGradientAlgorithm(for g: ConvolutionGeometry, preferring preferred: Algorithm? = nil) -> Algorithm {
        choose(g, preferred) { isFasterByWinograd($0) && ($0.channels * $0.filters <= 128 * 256 || WinogradConvolution.tiles($0) >= 4) }
    }

    private static func choose(
        _ g: ConvolutionGeometry, _ preferred: Algorithm?, _ isFasterByWinograd: (ConvolutionGeometry) -> Bool
    ) -> Algorithm {
        switch preferred {
        case .im2col: .im2col
        case .winograd: WinogradConvolution.supports(g) ? .winograd : .im2col
        case nil: WinogradConvolution.supports(g) && isFasterByWinograd(g) ? .winograd : .im2col
        }
    }

    /// Measured on one core (Zen 4, AVX-512, 105 GFLOP/s), eight frames (two at 112 and 224 rows), fastest of six rounds taken
    /// in turns; milliseconds a frame by im2col, by Winograd, and the ratio:
    ///
    ///     rows  layer        forward               input gradient        filter gradient
    ///     224     3 ->  64    2.95   2.76  1.07     5.55   3.52  1.58     3.09   4.27  0.72   (has no input gradient in a CNN)
    ///     224    64 ->  64   44.10  13.27  3.32    41.68  12.36  3.37    45.46  17.73  2.56
    ///     112    64 -> 128   20.47   5.84  3.51    21.75   5.95  3.65    20.24   9.67  2.09
    ///     112   128 -> 128   42.69  11.49  3.72    39.39  10.93  3.61    41.15  14.43  2.85
    ///      56   128 -> 256   21.29   5.15  4.13    21.01   5.32  3.95    20.51   6.36  3.22
    ///      56   256 -> 256   40.25  10.91  3.69    40.26  11.32  3.56    43.08  11.63  3.71
    ///      28   256 -> 512   21.95   5.03  4.37    20.88   5.01  4.17    23.98   5.93  4.04
    ///      28   512 -> 512   50.10  10.03  5.00    49.63   9.86  5.03    52.32  11.17  4.68
    ///      14   512 -> 512   10.39   3.05  3.40    11.08   3.07  3.61    11.24   3.77  2.98
    ///     112     3 ->  16    0.45   0.48  0.94     0.59   0.54  1.09     0.47   0.59  0.79
    ///     112     8 ->   8    0.60   0.54  1.12     0.57   0.54  1.06     0.52   0.64  0.82
    ///     112     8 ->  16    0.66   0.51  1.28     0.77   0.52  1.48     0.69   0.59  1.17
    ///     112    16 ->  16    0.79   0.46  1.71     0.79   0.46  1.73     0.92   0.58  1.60
    ///      56    32 ->  32    0.74   0.27  2.76     0.73   0.28  2.60     0.82   0.35  2.34
    ///      28    64 ->  64    0.65   0.21  3.09     0.65   0.20  3.21     0.68   0.25  2.74
    ///       7   512 -> 512    3.43   0.82  4.19     3.59   0.81  4.44     2.63   1.44  1.83
    ///       7    16 ->  16   0.003  0.002  1.75    0.003  0.002  1.60    0.003  0.002  1.72
    ///       4   128 -> 128   0.046  0.014  3.30    0.049  0.013  3.71    0.184  0.029  6.36
    ///       4   512 -> 512    1.77   0.27  6.44     2.03   0.26  7.89     0.89   1.01  0.88
    ///       3   128 -> 128   0.027  0.013  2.00    0.037  0.013  2.88    0.110  0.030  3.65
    ///       2   128 -> 128   0.011  0.013  0.86    0.016  0.013  1.30    0.030  0.028  1.08
    ///       1   512 -> 512    0.17   0.27  0.63     0.42   0.24  1.77     0.27   0.97  0.28
    ///
    /// F(6x6, 3x3) would save another fifth of the multiplications at 112 and 224 rows and a tenth at 28 and 56, but its error
    /// on 128 channels and more is over 1e-5 of the largest output (simulated in single precision: 0.9e-5 for 64 channels,
    /// 1.8e-5 for 256, 2.5e-5 for 512, where F(4x4, 3x3) has 0.3e-5, 0.4e-5, 0.5e-5).
    private static func isFasterByWinograd(_ g: ConvolutionGeometry) -> Bool {
        min(g.channels, g.filters) >= 8 && g.channels * g.filters >= 8 * 16 && g.positions >= 9
    }
}
