answer = input()
