"""The wheel holds a library of one platform, which every Python 3 can load: `py3-none-<platform>`."""

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class OfThePlatform(Distribution):
    """A distribution that is not the same everywhere, although setuptools compiles nothing."""

    def has_ext_modules(self):
        return True


class ForEveryPython(bdist_wheel):
    def get_tag(self):
        _, _, platform = super().get_tag()
        return "py3", "none", platform


setup(distclass=OfThePlatform, cmdclass={"bdist_wheel": ForEveryPython})
