/// How a sound file becomes a clip: a log-mel spectrogram, under librosa's names. The number of mel bands is
/// `model.input.rows`; `model.input.columns` steps of the spectrogram make one frame.
package struct AudioConfiguration: ConfigurationSection {
    /// The rate that sound is resampled to, in samples per second.
    package var sampleRate = 16000
    /// The length of a Fourier transform and of its Hann window, in samples.
    package var fftSize = 1024
    /// The distance from one transform to the next, in samples.
    package var hopLength = 256
    /// The range of the mel bands in hertz; nil: up to half the sample rate.
    package var minimumFrequency = 0.0
    package var maximumFrequency: Double?
    /// The dynamic range kept below the loudest value, in decibels.
    package var topDecibels = 80.0

    package init() {}
}

extension AudioConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("sample_rate", \.sampleRate, .integer(1000...384_000), "The rate that sound is resampled to, in samples per second."),
        .init("n_fft", \.fftSize, .integer(16...65536), "Length of a Fourier transform and of its Hann window, in samples."),
        .init("hop_length", \.hopLength, .integer(1...65536), "Samples from one column of the spectrogram to the next."),
        .init("fmin", \.minimumFrequency, .number(.atLeast(0)), "Lowest frequency of the mel bands, in hertz; model.input.rows bands."),
        .init(
            "fmax", \.maximumFrequency, .nullable(.number(.above(0))),
            "Highest frequency of the mel bands, in hertz; null: half the sample rate."),
        .init("top_db", \.topDecibels, .number(.above(0)), "Dynamic range kept below the loudest value, in decibels."),
    ]
}
